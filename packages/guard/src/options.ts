import type { KeySource, RemoteJwkSet } from '@mapae/jwt'
import type { DpopNonces } from './dpop/nonces.ts'
import type { SeenProofs } from './dpop/seen-proofs.ts'
import type { Renew } from './renewal.ts'
import type { MetadataOptions } from './resource-metadata.ts'
import type { RevocationOptions } from './revocations/options.ts'

export type GuardOptions = {
  /** The URL of the auth server, as in the claim `iss` of its tokens, to the letter. */
  readonly issuer: string
  /** Who this API is: one of these must be in `aud`. @default the issuer */
  readonly audience?: string | readonly string[] | undefined
  /** The keys to trust. @default the remote key set at `{issuer}/.well-known/jwks.json`, fetched when first needed */
  readonly keys?: KeySource | RemoteJwkSet | undefined
  /**
   * Look the address of the key set up in the metadata of the issuer (RFC 8414, OpenID Connect Discovery 1.0), which must name the
   * issuer to the letter: for an issuer that is no Mapae. @default false
   */
  readonly discovery?: boolean | undefined
  /**
   * How many verified tokens to remember, so that the same token is not verified again while it is in time and its key is in the set;
   * 10,000 tokens take about 20 MB. 0 remembers none. @default 10000
   */
  readonly tokenCache?: number | undefined
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
  /**
   * The public URL of this API, whose own pages may use the cookie. Its origin is also the one that DPoP proofs must be made for,
   * whatever a proxy or the `Host` field says; their path is that of the request. @default the issuer, and no proofs
   */
  readonly url?: string | undefined
  /**
   * What becomes of tokens that are bound to a key (RFC 9449). `'accept'`: they need a DPoP proof; others come as Bearer or in a
   * cookie. `'require'`: all need one. `'refuse'`: they are refused, since nobody checks proofs here. There is no way to take a bound
   * token without its proof. @default 'accept' where `url` is given, else 'refuse'
   */
  readonly dpop?: 'accept' | 'require' | 'refuse' | undefined
  /** Remembers proofs, so that each works once; replicas share one. @default the memory of this process, 100,000 proofs */
  readonly seenProofs?: SeenProofs | undefined
  /** Makes every proof carry a nonce of this API's own: see `createNonces` of `@mapae/guard/dpop`. @default none are asked for */
  readonly dpopNonces?: DpopNonces | undefined
  /**
   * Take the origin that proofs must be made for from the `Host` field (https, or http on this machine) instead of from `url`. A proof
   * that was made for another host works here for whoever can send that host's name. @default false
   */
  readonly dangerouslyTrustHostHeader?: boolean | undefined
  /** Origins whose pages may use the cookie too, such as `https://app.example`. @default [] */
  readonly allowedOrigins?: readonly string[] | undefined
  /**
   * Makes the API describe itself to clients (RFC 9728): needs `url`, which is then its resource identifier. Adapters serve the
   * document with `resourceMetadata(guard)`, and challenges name it. @default none
   */
  readonly metadata?: MetadataOptions | undefined
  /** Renews an expired access token in the course of the request. @default none: it is refused */
  readonly renew?: Renew | undefined
  /**
   * Whether tokens are refused once their session has ended, their roles were taken away or their key was withdrawn, which a Mapae
   * server tells within a second (`{issuer}/revocations`; see docs/revocation.md). `'auto'`: yes, where the issuer has such a feed, as one has
   * whose tokens carry an `epoch`. `true`, or options: yes, and an issuer that has none counts as one whose feed is away. The first request
   * opens one connection, which does not keep the process from ending. @default 'auto', and false where `keys` are given
   */
  readonly revocations?: 'auto' | boolean | RevocationOptions | undefined
  /** The time in milliseconds, like `Date.now`. @default Date.now */
  readonly clock?: (() => number) | undefined
  /** How far `iat` and `nbf` may be ahead of the clock, in seconds; `exp` gets nothing. @default 5 */
  readonly clockTolerance?: number | undefined
  /** Who fetches the key set and opens the revocation feed. @default connections of Node's own */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Hears what made the guard answer 503, and what keeps the revocation feed away, for a log. @default nobody */
  readonly onError?: ((error: unknown) => void) | undefined
}
