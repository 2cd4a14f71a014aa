import { AuthError } from './auth-error.ts'

/** What a person logs in with. `value` is unique within its kind; `display` is as it was written. */
export interface Identifier {
  readonly kind: 'email' | 'username'
  readonly value: string
  readonly display: string
}

/** No quoted local parts, and nothing that a list of addresses (RFC 5322 §3.4) could be read into. */
const EMAIL =
  /^[^\s@\p{C}"(),:;<>[\]\\]{1,64}@[^\s@\p{C}"(),:;<>[\]\\]{1,255}\.[^\s@\p{C}"(),:;<>[\]\\.]{2,63}$/u
const USERNAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._-]{1,30})[\p{L}\p{M}\p{N}]$/u

/** An e-mail address: one `@`, a dotted host, at most 254 characters. Case and NFC do not tell two apart. */
export function emailIdentifier(email: string): Identifier {
  const display = email.normalize('NFC')
  if (display.length > 254 || !EMAIL.test(display))
    throw new AuthError('invalid_identifier', 'The e-mail address is not one.')
  return { kind: 'email', value: fold(display), display }
}

/** A username: 3 to 32 letters, digits, dots, dashes and underscores, in any script. */
export function usernameIdentifier(username: string): Identifier {
  const display = username.normalize('NFC')
  if (!USERNAME.test(display)) {
    throw new AuthError(
      'invalid_identifier',
      'A username has 3 to 32 letters, digits, dots, dashes or underscores.',
    )
  }
  return { kind: 'username', value: fold(display), display }
}

/** What somebody typed into a login form, as something to look up; never refused, so that nothing is told. */
export function typedIdentifier(typed: string): {
  readonly kind: 'email' | 'username'
  readonly value: string
} {
  return { kind: typed.includes('@') ? 'email' : 'username', value: fold(typed.normalize('NFC')) }
}

function fold(text: string): string {
  return text.toLowerCase().normalize('NFC')
}
