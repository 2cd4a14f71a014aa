import type { RemoteJwkSet } from '../jwks/set.ts'
import { parseSegment } from '../jws/header.ts'
import { atOnceOrRefreshed, isRemote, withRefresh } from '../jws/refresh.ts'
import { type JwsOptions, prepareJwsVerifier, type RemoteJwsOptions } from '../jws/verify.ts'
import { rememberVerified } from './cache.ts'
import { checkClaimTypes } from './claims.ts'
import { type ClaimsPolicy, prepareClaimsPolicy, prepareTypePolicy, type TypePolicy } from './policy.ts'
import type { VerifiedJwt } from './verified.ts'

export type { VerifiedJwt }

export interface CacheOptions {
  /**
   * Remember up to `max` verified tokens, so that the same token is not verified again. A hit compares the whole token and
   * checks again that it is in time and that its key is still in the set. Claims and headers are frozen then. @default none
   */
  readonly cache?: { readonly max: number } | undefined
}

export type VerifierOptions = JwsOptions & ClaimsPolicy & TypePolicy & CacheOptions
export type RemoteVerifierOptions = RemoteJwsOptions & ClaimsPolicy & TypePolicy & CacheOptions

export interface AtOnceOptions {
  /**
   * With a remote key set: answer at once where the keys that are cached do, and with a promise only where the set is fetched. What
   * that would reject with is thrown then. For those who verify many tokens and `await` whatever comes. @default false
   */
  readonly atOnce?: boolean | undefined
}

/**
 * Checks the options once and gives a function that verifies JWTs (RFC 7519 §7.2, RFC 8725). With keys at hand it answers
 * at once; with a remote key set (`createRemoteJwkSet`) it gives a promise, tries with what is cached and, when no key
 * answers to the token, refreshes the set and tries once more.
 *
 * Needs `issuer`, `audience` and `typ`, or the `dangerously…` option that waives one. `exp` must be there and is
 * exclusive: at that very second the token is expired. `nbf` and `iat` may be `clockTolerance` ahead.
 *
 * Refuses, in this order: `token_too_large`, `token_malformed`, `crit_unsupported`, `type_mismatch`,
 * `unsupported_algorithm`, `algorithm_not_allowed`, `key_not_found`, `signature_invalid`, `claim_invalid`,
 * `issuer_mismatch`, `audience_mismatch`, `claim_missing`, `token_not_yet_valid`, `token_expired`; with a remote set also
 * `jwks_unavailable`. Throws `options_invalid` when it is made with wrong options.
 */
export function createVerifier(
  options: RemoteVerifierOptions & { readonly atOnce?: false | undefined },
): (token: string) => Promise<VerifiedJwt>
export function createVerifier(options: VerifierOptions): (token: string) => VerifiedJwt
export function createVerifier(
  options: (VerifierOptions | RemoteVerifierOptions) & AtOnceOptions,
): (token: string) => VerifiedJwt | Promise<VerifiedJwt>
export function createVerifier(
  options: (VerifierOptions | RemoteVerifierOptions) & AtOnceOptions,
): (token: string) => VerifiedJwt | Promise<VerifiedJwt> {
  const keys: VerifierOptions['keys'] | RemoteJwkSet = options.keys
  const jws = prepareJwsVerifier(options, prepareTypePolicy(options))
  const { check, checkTimes } = prepareClaimsPolicy(options)
  const verifyAnew = (token: string): VerifiedJwt => {
    const { header, key, payload } = jws.verify(token)
    const claims = checkClaimTypes(parseSegment(payload, 'payload'))
    check(claims)
    return { header, claims, key }
  }
  const isStillGood = (verified: VerifiedJwt): boolean => {
    if (!jws.stillHas(verified)) return false
    checkTimes(verified.claims)
    return true
  }
  const verify = options.cache
    ? rememberVerified({ max: options.cache.max, verifyAnew, isStillGood })
    : verifyAnew
  if (!isRemote(keys)) return verify
  return options.atOnce ? atOnceOrRefreshed(verify, keys) : withRefresh(verify, keys)
}

/** Verifies one JWT: {@link createVerifier} and its function in one call. To verify many, make the verifier once. */
export function verifyJwt(options: RemoteVerifierOptions & { readonly token: string }): Promise<VerifiedJwt>
export function verifyJwt(options: VerifierOptions & { readonly token: string }): VerifiedJwt
export function verifyJwt(
  options: (VerifierOptions | RemoteVerifierOptions) & { readonly token: string },
): VerifiedJwt | Promise<VerifiedJwt> {
  return createVerifier(options)(options.token)
}
