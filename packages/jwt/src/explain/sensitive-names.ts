/** How bad a claim's name is, or undefined when nothing is wrong with it. */
export function sensitiveName(name: string): { severity: 'refuse' | 'warn'; is: string } | undefined {
  const plain = name
    .toLowerCase()
    .replace(/^https?:\/\/.*\//, '')
    .replace(/[^\p{L}\p{N}]/gu, '')
  if (SECRET_NAMES.has(plain) || SECRET_PARTS.test(plain)) return { severity: 'refuse', is: 'a secret' }
  if (IDENTITY_NUMBERS.has(plain) || IDENTITY_PARTS.test(plain))
    return { severity: 'refuse', is: 'an identity or account number' }
  return PERSONAL_NAMES.has(plain) ? { severity: 'warn', is: 'personal data' } : undefined
}

const SECRET_NAMES: ReadonlySet<string> = new Set([
  'pwd',
  'pw',
  'pin',
  'otp',
  'secret',
  'cvv',
  'cvc',
  'cvv2',
  'salt',
  '암호',
])
const SECRET_PARTS =
  /password(?!changed|updated|set|expires|less)|passwd|passphrase|비밀번호|(?:client|totp|mfa|otp|shared|api|app)secret|secretkey|privatekey|apikey|accesskey|(?:refresh|access|id|session|api|bearer)token$|recoverycode|backupcode|seedphrase|mnemonic/

const IDENTITY_NUMBERS: ReadonlySet<string> = new Set([
  'ssn',
  'rrn',
  'jumin',
  'pan',
  'iban',
  'nationalid',
  'taxid',
  '여권번호',
  '계좌번호',
  '카드번호',
])
const IDENTITY_PARTS =
  /socialsecurity|residentregistration|juminno|juminbunho|jumindeungnok|주민등록|주민번호|외국인등록|passport(?:no|number)|creditcard|cardnumber|cardno$|bankaccount|driverslicense/

const PERSONAL_NAMES: ReadonlySet<string> = new Set([
  'email',
  'mail',
  'phone',
  'phonenumber',
  'mobile',
  'address',
  'birthdate',
  'birthday',
  'dob',
  'dateofbirth',
  'gender',
  'realname',
  'givenname',
  'familyname',
  'firstname',
  'lastname',
  '이메일',
  '전화번호',
  '휴대폰',
  '주소',
  '생년월일',
  '이름',
  '성별',
])
