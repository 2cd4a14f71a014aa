/** What a `Cookie` request field says about one name. */
export type SentCookie =
  | { readonly type: 'none' }
  | { readonly type: 'value'; readonly value: string }
  | { readonly type: 'repeated' }

/**
 * Reads one cookie by its exact name (RFC 6265 §4.2.1). The value is returned as sent, neither decoded nor unquoted.
 *
 * `repeated`: the name was sent more than once, even with one value. Which of them another host of the domain planted
 * cannot be told from their order, so none is taken. Never throws.
 */
export function readCookie(cookieHeader: string | undefined, name: string): SentCookie {
  if (cookieHeader === undefined) return { type: 'none' }
  const values = cookieHeader.split(';').flatMap((pair) => valueIn(pair, name))
  const [value] = values
  if (value === undefined) return { type: 'none' }
  return values.length > 1 ? { type: 'repeated' } : { type: 'value', value }
}

function valueIn(pair: string, name: string): readonly string[] {
  const equals = pair.indexOf('=')
  if (equals === -1 || pair.slice(0, equals).trim() !== name) return []
  return [pair.slice(equals + 1).trim()]
}
