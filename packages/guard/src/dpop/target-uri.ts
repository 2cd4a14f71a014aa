/**
 * The URI that a request was sent to, as its client knows it (RFC 9110 §7.1): the public origin, which is configured, and
 * the path of the request target. A host in the target is not believed.
 */
export function targetUri(origin: string, requestTarget: string): string {
  return origin + (requestTarget.startsWith('/') ? requestTarget : pathOf(requestTarget))
}

function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : '/'
}

/**
 * A URI in the one form in which two of them are compared (RFC 9449 §4.3, item 9): without query and fragment, normalised
 * by syntax (RFC 3986 §6.2.2: letter case, percent-encoding, dot segments) and by scheme (§6.2.3: default port, empty
 * path). Undefined for what is no http or https URI in visible ASCII, or names a user.
 */
export function normalizedUri(uri: unknown): string | undefined {
  if (typeof uri !== 'string' || !uriCharacters.test(uri) || !URL.canParse(uri)) return undefined
  const { protocol, origin, pathname, username, password } = new URL(uri)
  if (protocol !== 'https:' && protocol !== 'http:') return undefined
  if (username !== '' || password !== '') return undefined
  return origin + pathname.replace(/%[0-9a-f]{2}/gi, normalizedOctet)
}

/** What a parser of URLs would forgive: a backslash for a slash, white space, the lack of `//`. */
const uriCharacters = /^https?:\/\/[\x21-\x5b\x5d-\x7e]+$/i
const unreserved = /^[A-Za-z0-9\-._~]$/

function normalizedOctet(encoded: string): string {
  const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
  return unreserved.test(character) ? character : encoded.toUpperCase()
}
