import type { TokenScheme } from '../dpop/binding.ts'

/** What an `Authorization` request field says, as far as a guard is concerned. */
export type Authorization =
  | { readonly type: 'none' }
  | { readonly type: 'token'; readonly scheme: TokenScheme; readonly token: string }
  | { readonly type: 'other' }
  | { readonly type: 'malformed' }

/**
 * Reads the access token of an `Authorization` field (RFC 6750 §2.1, RFC 9449 §7.1).
 *
 * `other` is another scheme, such as Basic, which is not ours to judge. `malformed` is a Bearer or DPoP credential that
 * is not one b64token, is longer than 16,384 characters, or came in a repeated field. Never throws.
 */
export function readAuthorization(value: string | undefined): Authorization {
  if (value === undefined) return none
  if (value.startsWith(usual)) {
    const token = value.slice(usual.length)
    if (token.length <= longestToken && b64token.test(token))
      return { type: 'token', scheme: 'Bearer', token }
  }
  const field = value.trim()
  const [, name, credentials] = scheme.exec(field) ?? []
  if (name === undefined || credentials === undefined) return malformed
  const known = tokenSchemes.get(name.toLowerCase())
  if (known === undefined) return hidesToken.test(credentials) ? malformed : other
  if (credentials.length > longestToken || !b64token.test(credentials)) return malformed
  return { type: 'token', scheme: known, token: credentials }
}

/** How nearly all clients write it: what is spelled otherwise is read with more care. */
const usual = 'Bearer '
const none: Authorization = { type: 'none' }
const other: Authorization = { type: 'other' }
const malformed: Authorization = { type: 'malformed' }
const tokenSchemes: ReadonlyMap<string, TokenScheme> = new Map([
  ['bearer', 'Bearer'],
  ['dpop', 'DPoP'],
])
/** Node refuses 16 KiB of header fields by default, so a longer token could not have arrived whole. */
const longestToken = 16_384
const scheme = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +|$)(.*)$/
const b64token = /^[A-Za-z0-9\-._~+/]+=*$/
/** A repeated field arrives as `Basic …, Bearer …`: which of the two counts would be anybody's guess. */
const hidesToken = /,\s*(?:bearer|dpop)(?:\s|$)/i
