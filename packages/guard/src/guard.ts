import { decodeUnverified, type JwtClaims, JwtError, type JwtErrorCode } from '@mapae/jwt'
import { type AccessClaims, checkAccessClaims } from './access-claims.ts'
import { findCredential } from './credential.ts'
import type { HeaderPair } from './http/headers.ts'
import type { GuardOptions } from './options.ts'
import { invalidToken, type Refusal, renewalRefused, unavailable } from './refusal.ts'
import type { GuardRequest } from './request.ts'
import { refuseScope, type Scope, scopeNames } from './scope.ts'
import { type Settings, settle } from './settings.ts'

/** What a request needs beside a good token. */
export type Needs = {
  /** Names that the token's `scope` must all hold. @default none */
  readonly scope?: Scope | undefined
}

export type Admitted = {
  readonly type: 'admitted'
  readonly claims: AccessClaims
  /** The token as sent, or its renewed successor. Do not log it. */
  readonly token: string
  /** To put on the API's response, whatever that is, over the handler's own: a renewed token and its cache rule. */
  readonly headers: readonly HeaderPair[]
}

export type Admission = Admitted | Refusal

export type Guard = {
  /**
   * Admits a request with a good access token (RFC 9068 §4, RFC 6750), or says how to refuse it.
   *
   * Refuses with 400 `invalid_request`; 401 `token_required`, `invalid_token`, or the code of a refused renewal;
   * 403 `insufficient_scope`, `origin_not_allowed`; 503 `keys_unavailable`, `guard_unavailable`. Rejects only for
   * `needs` that make no sense (GuardError `options_invalid`).
   */
  check(request: GuardRequest, needs?: Needs): Promise<Admission>
}

/**
 * Makes the guard of an API from its options, once, when the API starts.
 *
 * @throws GuardError `options_invalid`, saying which option and why.
 */
export function createGuard(options: GuardOptions): Guard {
  const settings = settle(options)
  return Object.freeze({
    async check(request: GuardRequest, needs: Needs = {}) {
      const scope = needs.scope === undefined ? [] : scopeNames(needs.scope)
      try {
        return withScope(await admit(settings, request), scope)
      } catch (error) {
        settings.onError(error)
        return unavailable('guard_unavailable', 'The access token cannot be checked at the moment.')
      }
    },
  })
}

async function admit(settings: Settings, request: GuardRequest): Promise<Admission> {
  const credential = findCredential(settings, request)
  if (credential.type === 'refused') return credential
  const { token } = credential
  try {
    const { claims } = await settings.verify(token)
    return isBound(claims)
      ? boundToken()
      : { type: 'admitted', claims: checkAccessClaims(claims), token, headers: [] }
  } catch (error) {
    if (!(error instanceof JwtError)) throw error
    return error.code === 'token_expired' ? renewed(settings, request, token) : refuseToken(settings, error)
  }
}

/** The token is authentic in every way but its time. */
async function renewed(settings: Settings, request: GuardRequest, token: string): Promise<Admission> {
  if (isBound(decodeUnverified(token).claims)) return boundToken()
  const renewal = await settings.renew(request)
  switch (renewal.type) {
    case 'renewed':
      return {
        type: 'admitted',
        claims: renewal.claims,
        token: renewal.accessToken,
        headers: renewal.headers,
      }
    case 'refused':
      return renewalRefused(renewal)
    case 'not-applicable':
      return invalidToken('The access token expired.')
  }
}

/** Whatever is not known to be another's fault is the token's, so a code that is new there refuses here. */
function refuseToken(settings: Settings, error: JwtError): Refusal {
  if (ownFaults.has(error.code)) throw error
  if (!keySetFaults.has(error.code)) return invalidToken(error.description)
  settings.onError(error)
  return unavailable('keys_unavailable', error.description)
}

const ownFaults: ReadonlySet<JwtErrorCode> = new Set(['key_invalid', 'options_invalid'])
const keySetFaults: ReadonlySet<JwtErrorCode> = new Set(['jwks_unavailable', 'jwks_invalid'])

/** What a stolen copy lacks is a proof of the key, so a bound token without one is worth nothing (RFC 9449 §7.1). */
function isBound(claims: JwtClaims): boolean {
  return claims['cnf'] !== undefined
}

function boundToken(): Refusal {
  return invalidToken('The access token is bound to a key and came without its proof.')
}

/** A renewal stands, and its token goes out, even where the scope does not suffice. */
function withScope(admission: Admission, scope: readonly string[]): Admission {
  if (admission.type === 'refused') return admission
  const refused = refuseScope(admission.claims, scope)
  return refused ? { ...refused, headers: [...refused.headers, ...admission.headers] } : admission
}
