import type { TokenScheme } from '@mapae/guard/dpop'
import { challenges, problem } from '@mapae/guard/http'
import { AuthError, type RefusalCode, refusals, statusOf } from '../auth-error.ts'
import { StoreError } from '../store/store-error.ts'

const RETRY_AFTER = '1'

/**
 * The one place where what was thrown becomes an answer: problem details (RFC 9457), never a stack. `scheme` is how the
 * request presented an access token.
 */
export function refuse(
  thrown: unknown,
  report: (error: unknown) => void,
  scheme?: TokenScheme | undefined,
): Response {
  const error = asAuthError(thrown)
  const code = codeOf(error)
  const { title } = refusals[code]
  const status = statusOf(code, error)
  if (status === 500 || thrown instanceof StoreError) report(thrown)
  const { headers, body } = problem({
    status,
    code,
    title,
    ...(status !== 500 && error.message !== title && { detail: error.message }),
    headers: extraHeaders(code, status, { error, scheme }),
  })
  return new Response(JSON.stringify({ ...body, ...error.members }), {
    status,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
  })
}

export type Outcome<T> =
  | { readonly problem: RefusalCode }
  | { readonly problem?: undefined; readonly done: T }

/**
 * What came of a form, for its page to tell: what it was refused with, or what was done. Other failures go on, and so does
 * `too_many_tries`: it says nothing about what was sent.
 */
export async function outcomeOf<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { done: await work() }
  } catch (thrown) {
    if (thrown instanceof AuthError && isOfForm(thrown.code)) return { problem: thrown.code }
    throw thrown
  }
}

function isOfForm(code: AuthError['code']): code is RefusalCode {
  return code !== 'options_invalid' && code !== 'too_many_tries'
}

/** The code that {@link refuse} answers with. */
export function codeOf(thrown: unknown): RefusalCode {
  const { code } = asAuthError(thrown)
  return code === 'options_invalid' ? 'internal_error' : code
}

function asAuthError(thrown: unknown): AuthError {
  if (thrown instanceof AuthError) return thrown
  if (thrown instanceof StoreError) return new AuthError('store_unavailable', undefined, { cause: thrown })
  return new AuthError('internal_error', undefined, { cause: thrown })
}

/** Every 401 says how to authenticate (RFC 9110 §15.5.2), as RFC 6750 §3 and RFC 9449 §7 write it. */
function extraHeaders(
  code: RefusalCode,
  status: number,
  { error, scheme }: { error: AuthError; scheme: TokenScheme | undefined },
): [string, string][] {
  if (status === 503) return [['retry-after', RETRY_AFTER]]
  if (status === 429) return [['retry-after', String(error.members['retry_after'])]]
  if (status === 405) return [['allow', String(error.members['allow'])]]
  if (status !== 401) return []
  const says =
    code === 'token_required' || code === 'invalid_credentials'
      ? {}
      : { error: challengeErrors.get(code) ?? 'invalid_token', description: error.message }
  return [['www-authenticate', challenges(['Bearer', 'DPoP'], says, scheme)]]
}

/** RFC 9449 §7.1, beside the errors of RFC 6750 §3.1. */
const challengeErrors: ReadonlyMap<RefusalCode, string> = new Map([
  ['invalid_dpop_proof', 'invalid_dpop_proof'],
  ['use_dpop_nonce', 'use_dpop_nonce'],
])
