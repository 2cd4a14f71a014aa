import type { HeaderPair } from '../http/headers.ts'

/**
 * The fields of a request as its sender would send them after the answer with these fields: with the renewed token in
 * `Authorization`, if there was one, and in the cookie. For what handles the request further on.
 */
export function asRenewed(sent: Headers, fields: readonly HeaderPair[]): Headers {
  const headers = new Headers(sent)
  for (const [name, value] of fields) {
    if (name.toLowerCase() === 'authorization' && sent.has('authorization'))
      headers.set('authorization', value)
    if (name.toLowerCase() === 'set-cookie')
      headers.set('cookie', withCookie(headers.get('cookie') ?? '', value))
  }
  return headers
}

/** RFC 6265 §4.1.1: what the browser sends back is in front of the first semicolon. */
function withCookie(cookies: string, setCookie: string): string {
  const [pair = ''] = setCookie.split(';', 1)
  const name = pair.slice(0, pair.indexOf('='))
  const others = cookies.split(';').filter((one) => one.trim() !== '' && nameIn(one) !== name)
  return [...others.map((one) => one.trim()), pair].join('; ')
}

function nameIn(pair: string): string {
  return pair.slice(0, pair.indexOf('=')).trim()
}
