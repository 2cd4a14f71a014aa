import type { SensitiveKind } from './sensitive-names.ts'

/** What a text looks like. */
export interface SensitiveShape {
  readonly kind: SensitiveKind
  readonly is: string
}

export const PRIVATE_KEY: SensitiveShape = { kind: 'secret', is: 'a private or secret key' }

/**
 * What a text looks like, or has in it, that must not be in a token; undefined when there is nothing. The worst comes first. One
 * id of 16 digits in forty could be a card number: what is named as an id and is nothing but digits is not taken for one.
 */
export function sensitiveShape(text: string, { isId }: { isId: boolean }): SensitiveShape | undefined {
  const secret = SECRETS.find(({ pattern }) => pattern.test(text))
  if (secret) return { kind: 'secret', is: secret.is }
  if (isPrivateJwkText(text)) return PRIVATE_KEY
  const number = isMoment(text) ? undefined : numberShape(text, { isId })
  if (number) return { kind: 'identity_number', is: number }
  const personal = PERSONAL.find(({ pattern }) => pattern.test(text))
  return personal && { kind: 'personal_data', is: personal.is }
}

const SECRETS: readonly { is: string; pattern: RegExp }[] = [
  { is: 'a key in PEM form', pattern: /-----BEGIN [A-Z0-9 ]{1,40}-----/ },
  {
    is: 'a password hash',
    pattern: /^(?:\$(?:2[abxy]|argon2(?:id|i|d)|scrypt|pbkdf2[\w-]*|g?y|[1567])\$|pbkdf2_sha\d|\{S?SHA)/i,
  },
  // Bounded, so that a text of nothing but beginnings takes no quadratic time.
  { is: 'a token', pattern: /\beyJ[\w-]{1,1024}\.[\w-]*\.|\bmrt_[\w-]{0,64}\./ },
  {
    is: 'an access key',
    pattern: /\b(?:sk|rk)_(?:live|test)_\w{10}|\bsk-[\w-]{20}|\bgh[oprsu]_\w{20}|\bgithub_pat_\w{20}/,
  },
  {
    is: 'an access key',
    pattern: /\bxox[abeprs]-[\w-]{10}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{35}|\bglpat-[\w-]{20}/,
  },
  {
    is: 'an address with a password',
    pattern: /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]{0,200}:[^\s/@]{1,200}@/i,
  },
]

/** An e-mail address, unless it is the user and host of a URL or of ssh; phone numbers with a country's code, of Korea, and of America. */
const PERSONAL: readonly { is: string; pattern: RegExp }[] = [
  {
    is: 'an e-mail address',
    pattern:
      /(?<![\p{L}\p{N}_.+/-])[\p{L}\p{N}_.+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,63}(?![\p{L}\p{N}_:/-]|\.[\p{L}\p{N}])/u,
  },
  { is: 'a phone number', pattern: /(?<![\w.+])\+[1-9](?:[ .-]?\(?\d\)?){7,14}(?![\w])/ },
  { is: 'a phone number', pattern: /(?<![\w.-])01[016-9]([ .-]?)\d{3,4}\1\d{4}(?![\w-])/ },
  { is: 'a phone number', pattern: /(?<![\w.-])0(?:2|[3-6]\d|70)-\d{3,4}-\d{4}(?![\w-])/ },
  { is: 'a phone number', pattern: /(?<![\w.-])\([2-9]\d\d\) ?[2-9]\d\d-\d{4}(?![\w-])/ },
]

const SOCIAL_SECURITY_NUMBER = /(?<![\w.-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/

/** 13 to 19 digits that stand for themselves, in groups or not. Inside a UUID or a longer number they do not. */
const NUMBERS = /(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])/g

/** Milliseconds from 2001 to 2033: some have the shape and the check digit of a resident registration number. */
function isMoment(text: string): boolean {
  return /^1\d{12}$/.test(text)
}

function numberShape(text: string, { isId }: { isId: boolean }): string | undefined {
  if (SOCIAL_SECURITY_NUMBER.test(text)) return 'a social security number'
  const isIdAlone = isId && /^\d+$/.test(text)
  for (const [number] of text.matchAll(NUMBERS)) {
    if (isResidentNumber(number)) return 'a resident registration number'
    if (!isIdAlone && isCardNumber(number.replace(/[ -]/g, ''))) return 'a payment card number'
  }
  return undefined
}

function isPrivateJwkText(text: string): boolean {
  return /"kty"\s*:/.test(text) && /"(?:d|k|priv)"\s*:/.test(text)
}

/** 주민등록번호 and the numbers of foreign residents: a date, then a dash or a space, or else a right check digit. */
function isResidentNumber(text: string): boolean {
  const parts = /^\d\d(\d\d)(\d\d)([ -]?)[1-8]\d{6}$/.exec(text)
  if (!parts) return false
  const [, month, day, gap] = parts
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > 31) return false
  return gap !== '' || hasResidentCheckDigit([...text].map(Number))
}

const RESIDENT_WEIGHTS = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]

function hasResidentCheckDigit(digits: readonly number[]): boolean {
  const sum = RESIDENT_WEIGHTS.reduce((total, weight, at) => total + weight * Number(digits[at]), 0)
  return (11 - (sum % 11)) % 10 === digits[12]
}

/** Number ranges of the card networks (ISO/IEC 7812) at the lengths that they issue, so that ids are not mistaken. */
const CARD =
  /^(?:4\d{15}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|2\d\d)\d{12}|35\d{14}|9[04]\d{14})$/

function isCardNumber(digits: string): boolean {
  if (!CARD.test(digits)) return false
  const sum = [...digits].reverse().reduce((total, digit, at) => total + luhn(Number(digit), at), 0)
  return sum % 10 === 0
}

function luhn(digit: number, at: number): number {
  if (at % 2 === 0) return digit
  return digit > 4 ? digit * 2 - 9 : digit * 2
}
