import type { HeaderReader } from './headers.ts'

/** `same`: our own page. `allowed`: a page of an allowed origin. `not-a-browser`: no page at all. */
export type OriginVerdict = 'same' | 'allowed' | 'not-a-browser' | 'refused'

/**
 * Tells which page sent a request, against forged ones (CSRF). `Origin` decides where it was sent; `Sec-Fetch-Site`
 * (W3C Fetch Metadata) decides otherwise.
 *
 * | `Origin`                          | `Sec-Fetch-Site`      | verdict                                               |
 * |-----------------------------------|-----------------------|-------------------------------------------------------|
 * | `ownOrigin`                       | any                   | `same`                                                |
 * | in `allowedOrigins`, to the letter| any                   | `allowed`                                             |
 * | any other, `null`, repeated       | any                   | `refused`                                             |
 * | absent                            | `same-origin`         | `same`                                                |
 * | absent                            | any other             | `refused`; so is `none`, a typed address or a bookmark|
 * | absent                            | absent                | `refused` when `cookiesSent`, else `not-a-browser`    |
 *
 * A page under `Referrer-Policy: no-referrer` posts its forms with `Origin: null`; pages of ours use `same-origin`.
 */
export function judgeOrigin(request: {
  readonly header: HeaderReader
  readonly ownOrigin: string
  readonly allowedOrigins: readonly string[]
  readonly cookiesSent: boolean
}): OriginVerdict {
  const origin = request.header('origin')
  if (origin === request.ownOrigin) return 'same'
  if (origin !== undefined) return request.allowedOrigins.includes(origin) ? 'allowed' : 'refused'
  const site = request.header('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin' ? 'same' : 'refused'
  return request.cookiesSent ? 'refused' : 'not-a-browser'
}
