/**
 * Every reason for which this package refuses something. The list is closed: a `switch` over it needs no default.
 *
 * - `token_*`: the token itself; `token_expired` is only said of a token that is right in every other way.
 * - `key_not_found`: no key of the set has the token's `kid` and `alg`.
 * - `jwks_unavailable`: the key set could not be fetched, so nothing is known about the token: answer 503, not 401.
 * - `options_invalid`: the caller's mistake, thrown when a signer, verifier or key set is made.
 */
export type JwtErrorCode =
  | 'token_malformed'
  | 'token_too_large'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'algorithm_not_allowed'
  | 'unsupported_algorithm'
  | 'signature_invalid'
  | 'decryption_failed'
  | 'crit_unsupported'
  | 'type_mismatch'
  | 'claim_missing'
  | 'claim_invalid'
  | 'claim_sensitive'
  | 'issuer_mismatch'
  | 'audience_mismatch'
  | 'key_not_found'
  | 'key_invalid'
  | 'jwks_unavailable'
  | 'jwks_invalid'
  | 'options_invalid'

/**
 * The one error of this package. `description` may be shown to anyone: it never holds a token, a key or the value of
 * a claim. `detail` is evidence for a log, `cause` the error underneath, if there was one.
 */
export class JwtError extends Error {
  override readonly name = 'JwtError'
  readonly code: JwtErrorCode
  readonly description: string
  readonly detail: Readonly<Record<string, unknown>> | undefined

  constructor(error: {
    code: JwtErrorCode
    description: string
    detail?: Readonly<Record<string, unknown>>
    cause?: unknown
  }) {
    super(error.description, error.cause === undefined ? undefined : { cause: error.cause })
    this.code = error.code
    this.description = error.description
    this.detail = error.detail
  }
}
