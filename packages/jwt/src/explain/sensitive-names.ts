/** What anyone who reads a token should not find in it. */
export type SensitiveKind = 'secret' | 'identity_number' | 'personal_data'

export interface SensitiveName {
  readonly kind: SensitiveKind
  readonly is: string
  /** Whether a number of three digits can be the thing itself, as it can be a PIN, and is no count of it. */
  readonly isShort: boolean
  /** What is in the thing itself, where the name is a word for much else too: a map has pins, a camera pans. */
  readonly has?: RegExp | undefined
}

/**
 * What a claim's name says that it holds, or undefined when nothing is wrong with it. Short names count as the last words of
 * others too; `name` itself only where it can mean nobody but the subject.
 */
export function sensitiveName(name: string, isOfSubject: boolean): SensitiveName | undefined {
  const words = wordsOf(name)
  const whole = words.join('')
  const endings = [whole, ...[1, 2, 3].map((count) => words.slice(-count).join(''))]
  const isOneOf = (names: ReadonlySet<string>) => endings.some((ending) => names.has(ending))
  const has = ORDINARY_WORDS.get(whole)
  if (isOneOf(SECRET_NAMES) || PASSWORD_PARTS.test(whole))
    return { kind: 'secret', is: 'a secret', isShort: true, has }
  if (SECRET_PARTS.test(whole)) return { kind: 'secret', is: 'a secret', isShort: false }
  if (isOneOf(IDENTITY_NUMBERS) || IDENTITY_PARTS.test(whole))
    return { kind: 'identity_number', is: 'an identity or account number', isShort: true, has }
  const isPersonal = isOneOf(PERSONAL_NAMES) && !OF_NO_PERSON.test(whole)
  return isPersonal || (isOfSubject && NAMES_OF_THE_SUBJECT.has(whole))
    ? { kind: 'personal_data', is: 'personal data', isShort: false }
    : undefined
}

/** Whether a claim is named as an id, or as several: then many digits are one. */
export function isNamedAsId(name: string): boolean {
  return /^ids?$/.test(wordsOf(name).at(-1) ?? '')
}

/** Whether its members are named for what may be done with them, or is wanted of them: `permissions: { email: 'send' }`. */
export function isNamedAsPermissions(name: string): boolean {
  return PERMISSIONS.has(wordsOf(name).at(-1) ?? '')
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

const ORDINARY_WORDS: ReadonlyMap<string, RegExp> = new Map([
  ['pin', /\d/],
  ['pan', /(?<![\d.])(?:\d[ -]?){4}/],
  ['cookie', /[\d=;]|.{21}/],
])

const PERMISSIONS: ReadonlySet<string> = new Set([
  'permission',
  'permissions',
  'privileges',
  'rights',
  'grants',
  'scopes',
  'capabilities',
  'entitlements',
  'acl',
  'features',
  'consent',
  'consents',
  'notifications',
])

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
/** Not what is told of one: when it was changed, which version it is. */
const PASSWORD_PARTS =
  /password(?!(?:last)?(?:change|update)|set|expir|less|reset|policy|strength|age|version|rotat)|passwd|passphrase|비밀번호|패스워드/
const SECRET_PARTS =
  /(?:client|totp|mfa|otp|shared|api|app)secret|(?:secret|private|priv|api|access|signing|encryption|ssh)key(?!s?(?:id|name)s?$)|(?:refresh|access|id|session|api|bearer|auth)token$|securitycode|(?:security|secret)answer|recoverycode|backupcode|seedphrase|mnemonic/

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
  'emails',
  'mail',
  'phone',
  'phonenumber',
  'phonenumbers',
  'telephone',
  'mobile',
  'cellphone',
  'mobilenumber',
  'address',
  'addresses',
  'zipcode',
  'postalcode',
  'postcode',
  'birthdate',
  'birthday',
  'dob',
  'dateofbirth',
  'gender',
  'realname',
  'fullname',
  'givenname',
  'familyname',
  'firstname',
  'lastname',
  'middlename',
  'surname',
  'maidenname',
  '이메일',
  '전화번호',
  '휴대폰',
  '휴대폰번호',
  '핸드폰',
  '핸드폰번호',
  '연락처',
  '주소',
  '집주소',
  '우편번호',
  '생년월일',
  '생일',
  '이름',
  '성명',
  '실명',
  '성별',
])

const NAMES_OF_THE_SUBJECT: ReadonlySet<string> = new Set(['name', 'nickname'])

const OF_NO_PERSON =
  /(?:mac|host|server|service|contract|wallet|memory)address(?:es)?$|(?:org|organization|company|team|tenant|group|product|project|repo|repository|file)fullname$/
