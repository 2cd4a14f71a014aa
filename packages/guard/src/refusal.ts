import { type Challenge, challenge } from './http/challenge.ts'
import type { HeaderPair } from './http/headers.ts'
import { type Problem, problem } from './http/problem.ts'
import type { Renewal } from './renewal.ts'

/** An answer that keeps a request out of the API: problem JSON (RFC 9457) and its header fields. */
export type Refusal = { readonly type: 'refused' } & Problem<400 | 401 | 403 | 503>

/** 401 without an error: no token came (RFC 6750 §3.1). */
export function tokenRequired(): Refusal {
  const detail = 'This needs an access token.'
  return refusal({ status: 401, code: 'token_required', detail, headers: challenging({}) })
}

/** 400: the credential is not one token, once. */
export function invalidRequest(detail: string): Refusal {
  const headers = challenging({ error: 'invalid_request', description: detail })
  return refusal({ status: 400, code: 'invalid_request', detail, headers })
}

/** 401: the token is not good. `code` where there is a more telling one for the client. */
export function invalidToken(detail: string, code = 'invalid_token'): Refusal {
  const headers = challenging({ error: 'invalid_token', description: detail })
  return refusal({ status: 401, code, detail, headers })
}

/** 403: the token is good and does not reach this far. Names all that is needed. */
export function insufficientScope(scope: readonly string[]): Refusal {
  const detail = 'The access token does not have the scope that this needs.'
  const headers = challenging({ error: 'insufficient_scope', description: detail, scope })
  return refusal({ status: 403, code: 'insufficient_scope', detail, headers })
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
export function unavailable(code: 'keys_unavailable' | 'guard_unavailable', detail: string): Refusal {
  return refusal({ status: 503, code, detail, headers: retryLater })
}

/** The refusal of a renewal, as the answer of the API. */
export function renewalRefused(renewal: Extract<Renewal, { type: 'refused' }>): Refusal {
  const { status, code, description } = renewal
  if (status === 401) return invalidToken(description, code)
  return refusal({ status, code, detail: description, headers: status === 503 ? retryLater : [] })
}

/** In seconds; the key set is not fetched more often either. */
export const retryAfter = 5

const retryLater: readonly HeaderPair[] = [['retry-after', String(retryAfter)]]

function challenging(says: Omit<Challenge, 'scheme'>): readonly HeaderPair[] {
  return [['www-authenticate', challenge({ scheme: 'Bearer', ...says })]]
}

function refusal(about: Parameters<typeof problem<Refusal['status']>>[0]): Refusal {
  return { type: 'refused', ...problem(about) }
}
