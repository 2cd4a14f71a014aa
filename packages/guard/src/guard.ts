import { decodeUnverified, JwtError, type JwtErrorCode } from '@mapae/jwt'
import { type AccessClaims, checkAccessClaims } from './access-claims.ts'
import { type Credential, findCredential } from './credential.ts'
import { bindingOf } from './dpop/binding.ts'
import { targetUri } from './dpop/target-uri.ts'
import type { DpopSettings } from './dpop-settings.ts'
import { GuardError } from './guard-error.ts'
import type { HeaderPair } from './http/headers.ts'
import type { GuardOptions } from './options.ts'
import {
  type Challenged,
  invalidToken,
  nonceField,
  proofRefused,
  type Refusal,
  renewalRefused,
  unavailable,
} from './refusal.ts'
import type { GuardRequest } from './request.ts'
import type { RevocationStatus, WhenStale } from './revocations/options.ts'
import { refuseScope, type Scope, scopeNames } from './scope.ts'
import { type Settings, settle } from './settings.ts'

/** What a request needs beside a good token. */
export type Needs = {
  /** Names that the token's `scope` must all hold. @default none */
  readonly scope?: Scope | undefined
  /** What becomes of a good token while it is not known what was revoked: `RevocationOptions`. @default as the guard says */
  readonly whenStale?: WhenStale | undefined
}

export type Admitted = {
  readonly type: 'admitted'
  readonly claims: AccessClaims
  /** The token as sent, or its renewed successor. Do not log it. */
  readonly token: string
  /**
   * To put on the API's response, whatever that is, over the handler's own: a renewed token, or the next nonce for proofs, each with
   * its cache rule.
   */
  readonly headers: readonly HeaderPair[]
}

export type Admission = Admitted | Refusal

export type Guard = {
  /**
   * Admits a request with a good access token (RFC 9068 §4, RFC 6750) and, where that is bound to a key, a good DPoP proof
   * (RFC 9449), or says how to refuse it.
   *
   * Refuses with 400 `invalid_request`; 401 `token_required`, `invalid_token`, `invalid_dpop_proof`, `use_dpop_nonce`, or the code of
   * a refused renewal; 403 `insufficient_scope`, `origin_not_allowed`; 503 `keys_unavailable`, `revocations_stale`, `guard_unavailable`.
   * Rejects only for `needs` that make no sense (GuardError `options_invalid`).
   */
  check(request: GuardRequest, needs?: Needs): Promise<Admission>
  /** What is known of revocations. Begins to follow them, so that a readiness check can come before the first request. */
  status(): GuardStatus
  /** Lets go of the revocation feed; requests are still judged, by what is known. */
  close(): void
}

export type GuardStatus = { readonly revocations: RevocationStatus }

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
      if (needs.whenStale === 'refuse') requireRevocations(settings)
      try {
        return withScope(await admit(settings, request, needs), scope)
      } catch (error) {
        settings.onError(error)
        return unavailable('guard_unavailable', 'The access token cannot be checked at the moment.')
      }
    },
    status: () => ({ revocations: settings.revocations.status() }),
    close: () => settings.revocations.close(),
  })
}

function requireRevocations({ revocations }: Settings): void {
  if (revocations.isFollowed) return
  throw new GuardError('options_invalid', "whenStale: 'refuse' needs a guard that follows revocations.")
}

async function admit(
  settings: Settings,
  request: GuardRequest,
  { whenStale }: Pick<Needs, 'whenStale'>,
): Promise<Admission> {
  const credential = findCredential(settings, request)
  if (credential.type === 'refused') return credential
  try {
    const { claims: verified, header } = await settings.verify(credential.token)
    const claims = checkAccessClaims(verified)
    const verdict = await settings.revocations.judge(claims, { kid: header.kid, whenStale })
    switch (verdict) {
      case 'good':
        return await admitHolder(settings, request, { ...credential, claims })
      case 'revoked':
        return await renewed(settings, request, credential, 'The access token was revoked.')
      case 'stale':
        return unavailable('revocations_stale', 'It is not known at the moment what was revoked.')
    }
  } catch (error) {
    if (!(error instanceof JwtError)) throw error
    if (error.code === 'token_expired')
      return renewed(settings, request, credential, 'The access token expired.')
    return refuseToken(settings, error, credential)
  }
}

type Presented = Extract<Credential, { type: 'token' }>

/** The token is good; whether it is the sender's to use, its binding says (RFC 9449 §7). */
async function admitHolder(
  settings: Settings,
  request: GuardRequest,
  presented: Presented & { readonly claims: AccessClaims },
): Promise<Admission> {
  const { claims, token } = presented
  const binding = judgeBinding(settings, presented, claims.cnf)
  switch (binding.type) {
    case 'refused':
      return binding
    case 'unbound':
      return { type: 'admitted', claims, token, headers: [] }
    case 'bound': {
      const { dpop, jkt } = binding
      const uri = targetUri(dpop.originFor(request), request.url)
      const sent = { field: request.header('dpop'), method: request.method, uri, accessToken: token }
      const verdict = await dpop.check({ ...sent, jkt })
      if (verdict.type !== 'proven') return proofRefused(challenged(settings, presented), verdict)
      return { type: 'admitted', claims, token, headers: nextNonce(verdict.nextNonce) }
    }
  }
}

/** Whether a token may come like this at all, and whether it needs a proof. */
function judgeBinding(
  settings: Settings,
  presented: Presented,
  cnf: unknown,
): Refusal | { type: 'unbound' } | { type: 'bound'; dpop: DpopSettings; jkt: string } {
  const { dpop } = settings
  const refuse = (why: string) => invalidToken(challenged(settings, presented), why)
  const binding = bindingOf(presented.scheme, cnf)
  switch (binding.type) {
    case 'mismatch':
      return refuse(binding.description)
    case 'unbound':
      return dpop?.isRequired ? refuse('This needs a token that is bound to a key.') : binding
    case 'bound':
      return dpop ? { ...binding, dpop } : refuse('DPoP proofs are not taken here.')
  }
}

function challenged({ schemes }: Settings, { scheme }: Presented): Challenged {
  return { schemes, scheme }
}

/** A cache that kept the answer would hand out an old nonce later (RFC 9449 §8.2). */
function nextNonce(nonce: string | undefined): readonly HeaderPair[] {
  return nonce === undefined ? [] : [...nonceField(nonce), ['cache-control', 'private, no-store']]
}

/**
 * The token is authentic, but its time is over, or it was revoked: its session may be alive all the same, with roles taken away. One that is bound to a key is renewed where its session is, by the client
 * itself, which is no risk to it: it does not rotate. So its refresh token never comes to an API.
 */
async function renewed(
  settings: Settings,
  request: GuardRequest,
  presented: Presented,
  why: string,
): Promise<Admission> {
  const binding = judgeBinding(settings, presented, decodeUnverified(presented.token).claims['cnf'])
  if (binding.type === 'refused') return binding
  const refused = invalidToken(challenged(settings, presented), why)
  if (binding.type === 'bound') return refused
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
      return renewalRefused(challenged(settings, presented), renewal)
    case 'not-applicable':
      return refused
  }
}

/** Whatever is not known to be another's fault is the token's, so a code that is new there refuses here. */
function refuseToken(settings: Settings, error: JwtError, presented: Presented): Refusal {
  if (ownFaults.has(error.code)) throw error
  if (!keySetFaults.has(error.code)) return invalidToken(challenged(settings, presented), error.description)
  settings.onError(error)
  return unavailable('keys_unavailable', error.description)
}

const ownFaults: ReadonlySet<JwtErrorCode> = new Set(['key_invalid', 'options_invalid'])
const keySetFaults: ReadonlySet<JwtErrorCode> = new Set(['jwks_unavailable', 'jwks_invalid'])

/** A renewal stands, and its token goes out, even where the scope does not suffice. */
function withScope(admission: Admission, scope: readonly string[]): Admission {
  if (admission.type === 'refused') return admission
  const refused = refuseScope(admission.claims, scope)
  return refused ? { ...refused, headers: [...refused.headers, ...admission.headers] } : admission
}
