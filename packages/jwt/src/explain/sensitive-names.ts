/** How bad a claim's name is, or undefined when nothing is wrong with it. Short names count as the last word of others too. */
export function sensitiveName(name: string): { severity: 'refuse' | 'warn'; is: string } | undefined {
  const words = wordsOf(name)
  const whole = words.join('')
  const isOneOf = (names: ReadonlySet<string>) => names.has(whole) || names.has(words.at(-1) ?? '')
  if (isOneOf(SECRET_NAMES) || SECRET_PARTS.test(whole)) return { severity: 'refuse', is: 'a secret' }
  if (isOneOf(IDENTITY_NUMBERS) || IDENTITY_PARTS.test(whole))
    return { severity: 'refuse', is: 'an identity or account number' }
  return isOneOf(PERSONAL_NAMES) ? { severity: 'warn', is: 'personal data' } : undefined
}

/** The words of `userPin`, `user-pin` and `https://app.example/claims#user_pin`, in lower case. */
function wordsOf(name: string): readonly string[] {
  return name
    .replace(/^\w+:\/\/.*[/#]/, '')
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
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
  '비번',
  'passcode',
  'pincode',
  'credential',
  'credentials',
  'cookie',
])
const SECRET_PARTS =
  /password(?!changed|updated|set|expires|less|reset|policy|strength|age)|passwd|passphrase|비밀번호|패스워드|(?:client|totp|mfa|otp|shared|api|app)secret|(?:secret|private|priv|api|access|signing|encryption|ssh)key|(?:refresh|access|id|session|api|bearer|auth)token$|securitycode|(?:security|secret)answer|recoverycode|backupcode|seedphrase|mnemonic/

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
  /socialsecurity|residentregistration|juminno|juminbunho|jumindeungnok|주민등록|주민번호|외국인등록|운전면허|연계정보|(?:alien|foreigner)registration|passport(?:no|number)|(?:credit|debit)card|cardnumber|cardno$|bankaccount|drivers?licen[cs]e/

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
