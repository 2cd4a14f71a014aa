import type { KeySource, RemoteJwkSet } from '@mapae/jwt'
import type { Renew } from './renewal.ts'

export type GuardOptions = {
  /** The URL of the auth server, as in the claim `iss` of its tokens, to the letter. */
  readonly issuer: string
  /** Who this API is: one of these must be in `aud`. @default the issuer */
  readonly audience?: string | readonly string[] | undefined
  /** The keys to trust. @default the remote key set at `{issuer}/.well-known/jwks.json`, fetched when first needed */
  readonly keys?: KeySource | RemoteJwkSet | undefined
  /**
   * Where access tokens are taken from. `'both'`: a Bearer credential in `Authorization` decides, good or bad; without
   * one the cookie of the auth server counts, which needs its host to be this API's too (ports and http on localhost
   * aside). A cookie on an unsafe method or a WebSocket upgrade needs a page of `url` or of `allowedOrigins`.
   * @default 'both' where the issuer can set cookies (https, or http on this machine), else 'header'
   */
  readonly credentials?: 'header' | 'cookie' | 'both' | undefined
  /**
   * The cookie that holds the access token, when the auth server does not use the names of `cookieNames`: with its
   * `dangerousCookieDomain` it is `__Secure-mapae_access`, which every sub-domain can set. @default that of the issuer's URL
   */
  readonly accessCookie?: string | undefined
  /** The public URL of this API, whose own pages may use the cookie. @default the issuer */
  readonly url?: string | undefined
  /** Origins whose pages may use the cookie too, such as `https://app.example`. @default [] */
  readonly allowedOrigins?: readonly string[] | undefined
  /** Renews an expired access token in the course of the request. @default none: it is refused */
  readonly renew?: Renew | undefined
  /** The time in milliseconds, like `Date.now`. @default Date.now */
  readonly clock?: (() => number) | undefined
  /** How far `iat` and `nbf` may be ahead of the clock, in seconds; `exp` gets nothing. @default 5 */
  readonly clockTolerance?: number | undefined
  /** Who fetches the key set. @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Hears what made the guard answer 503, for a log. @default nobody */
  readonly onError?: ((error: unknown) => void) | undefined
}
