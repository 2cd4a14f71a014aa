import { AuthError } from './auth-error.ts'
import { emailKey, formerKey, usernameKey } from './store/identifier-key.ts'

/** What a person logs in with. `value` is its key, unique within its kind; `display` is as it was written. */
export interface Identifier {
  readonly kind: 'email' | 'username'
  readonly value: string
  readonly display: string
}

// \p{DI}: what no font draws (fillers, joiners, variation selectors); two names must not differ in that alone.
// In an address no RFC 5322 specials either: mail to `me<you@example.com` goes to you.
const EMAIL =
  /^[^\s@\p{C}\p{DI}()<>[\]:;,\\"]{1,64}@(?:[^\s@\p{C}\p{DI}()<>[\]:;,\\".]{1,63}\.)+[^\s@\p{C}\p{DI}()<>[\]:;,\\".]{2,63}$/u
const USERNAME = /^(?!.*\p{DI})[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{1,30}[\p{L}\p{M}\p{N}]$/u

/** An e-mail address: one `@`, a dotted host, at most 254 characters; blanks around it are not part of it. */
export function emailIdentifier(email: string): Identifier {
  const display = trimmed(email).normalize('NFC')
  if (display.length > 254 || !EMAIL.test(display))
    throw new AuthError('invalid_identifier', 'The e-mail address is not one.')
  return { kind: 'email', value: emailKey(display), display }
}

/** A username: 3 to 32 letters, digits, dots, dashes and underscores, in any script; see `usernameKey` for what makes two one. */
export function usernameIdentifier(username: string): Identifier {
  const display = trimmed(username).normalize('NFC')
  if (!USERNAME.test(display)) {
    throw new AuthError(
      'invalid_identifier',
      'A username has 3 to 32 letters, digits, dots, dashes or underscores.',
    )
  }
  return { kind: 'username', value: usernameKey(display), display }
}

/**
 * What somebody typed into a login form, as something to look up, the likelier owner first; never refused, so that nothing
 * is told. An account that has kept its former key goes before the one that was faster to take the key of both.
 */
export function typedIdentifiers(typed: string): readonly Pick<Identifier, 'kind' | 'value'>[] {
  const text = trimmed(typed)
  const kind = text.includes('@') ? 'email' : 'username'
  const keys = [formerKey(text), kind === 'email' ? emailKey(text) : usernameKey(text)]
  return [...new Set(keys)].map((value) => ({ kind, value }))
}

/** What all ways of writing have in common that find one account. */
export function nameTyped(typed: string): Pick<Identifier, 'kind' | 'value'> {
  const text = trimmed(typed)
  return text.includes('@')
    ? { kind: 'email', value: emailKey(text) }
    : { kind: 'username', value: usernameKey(text) }
}

/** The key that an identifier of an account has by its display. */
export function keyOf({ kind, display }: { readonly kind: string; readonly display: string }): string {
  return kind === 'email' ? emailKey(display) : usernameKey(display)
}

/** Without the blanks that keyboards add after a suggestion. Line breaks are nobody's, and refused. */
function trimmed(text: string): string {
  return text.replace(/^\p{Zs}+|\p{Zs}+$/gu, '')
}
