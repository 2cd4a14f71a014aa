import type { TokenScheme } from './dpop/binding.ts'
import type { ProofVerdict } from './dpop/proof-check.ts'
import { type Challenge, challenges } from './http/challenge.ts'
import type { HeaderPair } from './http/headers.ts'
import { type Problem, problem } from './http/problem.ts'
import type { Renewal } from './renewal.ts'

/** An answer that keeps a request out of the API: problem JSON (RFC 9457) and its header fields. */
export type Refusal = { readonly type: 'refused' } & Problem<400 | 401 | 403 | 503>

/** The schemes that a challenge names, and the one that the request used, where that is known. */
export type Challenged = {
  readonly schemes: readonly TokenScheme[]
  readonly scheme?: TokenScheme | undefined
  /** Where the metadata of the resource are (RFC 9728 §5.1), if it has any. */
  readonly resourceMetadata?: string | undefined
}

/** 401 without an error: no token came (RFC 6750 §3.1). */
export function tokenRequired(whom: Challenged): Refusal {
  const detail = 'This needs an access token.'
  return refusal({ status: 401, code: 'token_required', detail, headers: challenging(whom, {}) })
}

/** 400: the credential is not one token, once. */
export function invalidRequest(whom: Challenged, detail: string): Refusal {
  const headers = challenging(whom, { error: 'invalid_request', description: detail })
  return refusal({ status: 400, code: 'invalid_request', detail, headers })
}

/** 401: the token is not good. `code` where there is a more telling one for the client. */
export function invalidToken(whom: Challenged, detail: string, code = 'invalid_token'): Refusal {
  const headers = challenging(whom, { error: 'invalid_token', description: detail })
  return refusal({ status: 401, code, detail, headers })
}

/** 401: the token is good, its DPoP proof is not, or needs a nonce, which goes out with this (RFC 9449 §7.1, §9). */
export function proofRefused(whom: Challenged, verdict: Exclude<ProofVerdict, { type: 'proven' }>): Refusal {
  const { type: code, description: detail } = verdict
  const challenged = challenging(whom, { error: code, description: detail })
  const headers = code === 'use_dpop_nonce' ? [...challenged, ...nonceField(verdict.nonce)] : challenged
  return refusal({ status: 401, code, detail, headers })
}

/** Tells the client which nonce to use from now on (RFC 9449 §8.2). */
export function nonceField(nonce: string): readonly HeaderPair[] {
  return [['dpop-nonce', nonce]]
}

/** 403: the token is good and does not reach this far. Names all that is needed. */
export function insufficientScope(whom: Challenged, scope: readonly string[]): Refusal {
  const detail = 'The access token does not have the scope that this needs.'
  const headers = challenging(whom, { error: 'insufficient_scope', description: detail, scope })
  return refusal({ status: 403, code: 'insufficient_scope', detail, headers })
}

/** 403: the account has none of the roles. RFC 6750 §3.1 has one error for all privileges that are lacking. */
export function insufficientRole(whom: Challenged): Refusal {
  const detail = 'The account does not have a role that may do this.'
  const headers = challenging(whom, { error: 'insufficient_scope', description: detail })
  return refusal({ status: 403, code: 'insufficient_role', detail, headers })
}

/** 401: the person must log in again, or in a stronger way, and the client is told which (RFC 9470 §3). */
export function insufficientAuthentication(
  whom: Challenged,
  login: { readonly maxAge: number | undefined; readonly acr: readonly string[] },
): Refusal {
  const code = 'insufficient_user_authentication'
  const detail = 'This needs a more recent or a stronger login.'
  const says = { error: code, description: detail, acrValues: login.acr, maxAge: login.maxAge }
  return refusal({ status: 401, code, detail, headers: challenging(whom, says) })
}

/** 403: the browser sent the cookie for a page of somebody else (CSRF). */
export function originNotAllowed(): Refusal {
  return refusal({
    status: 403,
    code: 'origin_not_allowed',
    detail: 'A request with a cookie must come from a page of this site or of an allowed origin.',
  })
}

/** 503: whether the token is good cannot be told. Never 401, which would log honest people out. */
export function unavailable(
  code: 'keys_unavailable' | 'guard_unavailable' | 'revocations_stale',
  detail: string,
): Refusal {
  return refusal({ status: 503, code, detail, headers: retryLater })
}

/** The refusal of a renewal, as the answer of the API. */
export function renewalRefused(whom: Challenged, renewal: Extract<Renewal, { type: 'refused' }>): Refusal {
  const { status, code, description } = renewal
  if (status === 401) return invalidToken(whom, description, code)
  return refusal({ status, code, detail: description, headers: status === 503 ? retryLater : [] })
}

/** In seconds; the key set is not fetched more often either. */
export const retryAfter = 5

const retryLater: readonly HeaderPair[] = [['retry-after', String(retryAfter)]]

function challenging(
  { schemes, scheme, resourceMetadata }: Challenged,
  says: Omit<Challenge, 'scheme' | 'algs'>,
): readonly HeaderPair[] {
  return [['www-authenticate', challenges(schemes, { ...says, resourceMetadata }, scheme)]]
}

function refusal(about: Parameters<typeof problem<Refusal['status']>>[0]): Refusal {
  return { type: 'refused', ...problem(about) }
}
