import { decodeUnverified, JwtError, type JwtErrorCode, type VerifiedJwt } from '@mapae/jwt'
import type { AccessClaims, Claims } from './access-claims.ts'
import { type Credential, findCredential } from './credential.ts'
import { bindingOf } from './dpop/binding.ts'
import { targetUri } from './dpop/target-uri.ts'
import type { DpopSettings } from './dpop-settings.ts'
import { GuardError } from './guard-error.ts'
import type { HeaderPair } from './http/headers.ts'
import { judgeNeeds, type Needs, type PreparedNeeds, prepareNeeds } from './needs.ts'
import type { GuardOptions } from './options.ts'
import { type ClaimsReader, prepareClaims, type ReadOwnClaims, withOwn } from './own-claims.ts'
import {
  type Challenged,
  invalidToken,
  nonceField,
  proofRefused,
  type Refusal,
  renewalRefused,
  tokenRequired,
  unavailable,
} from './refusal.ts'
import type { Renewal } from './renewal.ts'
import type { GuardRequest } from './request.ts'
import type { ResourceMetadata } from './resource-metadata.ts'
import type { RevocationStatus, WhenStale } from './revocations/options.ts'
import type { Verdict } from './revocations/revocations.ts'
import { type Settings, settle } from './settings.ts'

export type Admitted<Own = unknown> = {
  readonly type: 'admitted'
  readonly claims: Claims<Own>
  /** The token as sent, or its renewed successor. Do not log it. */
  readonly token: string
  /**
   * To put on the API's response, whatever that is, over the handler's own: a renewed token, or the next nonce for proofs, each with
   * its cache rule.
   */
  readonly headers: readonly HeaderPair[]
}

/** A request of nobody's, where the route is `optional`. */
export type Anonymous = {
  readonly type: 'anonymous'
  readonly claims: undefined
  readonly headers: readonly HeaderPair[]
}

export type Admission<Own = unknown> = Admitted<Own> | Refusal

/** What is there at once, or comes: for `await`. */
export type Soon<Value> = Value | Promise<Value>

export type Guard<Own = unknown> = {
  /**
   * Admits a request with a good access token (RFC 9068 §4, RFC 6750) and, where that is bound to a key, a good DPoP proof
   * (RFC 9449), or says how to refuse it. Answers at once where nothing has to be waited for, such as keys, a proof or a renewal.
   *
   * Refuses with 400 `invalid_request`; 401 `token_required`, `invalid_token`, `invalid_dpop_proof`, `use_dpop_nonce`,
   * `insufficient_user_authentication`, or the code of a refused renewal; 403 `insufficient_scope`, `insufficient_role`,
   * `origin_not_allowed`; 503 `keys_unavailable`, `revocations_stale`, `guard_unavailable`. Rejects only for `needs` that make no
   * sense (GuardError `options_invalid`).
   */
  check(
    request: GuardRequest,
    needs?: Needs & { readonly optional?: false | undefined },
  ): Soon<Admission<Own>>
  /** With `optional` it may be nobody's. */
  check(request: GuardRequest, needs: Needs | undefined): Soon<Admission<Own> | Anonymous>
  /** The refusal for an admitted request whose claims do not meet the needs, or nothing. Throws GuardError `options_invalid`. */
  judge(claims: AccessClaims, needs: Needs): Refusal | undefined
  /** Whether these very claims, the same object, are from a request that this guard admitted: false for whatever else it is given. */
  hasAdmitted(claims: unknown): claims is Claims<Own>
  /** What the API tells of itself, with the option `metadata` (RFC 9728). */
  readonly metadata: ResourceMetadata | undefined
  /** Whether admitted claims are of a session that is over by now, or of an account that lost something since. Answers at once. */
  revoked(claims: AccessClaims): boolean
  /** Calls the listener whenever something is revoked. Gives what stops it. */
  subscribe(listener: () => void): () => void
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
export function createGuard<Own>(
  options: GuardOptions & {
    /** Reads the app's own claims, and so gives the claims of every request their type. What it throws refuses the token. */
    readonly ownClaims: ReadOwnClaims<Own>
  },
): Guard<Own>
export function createGuard(options: GuardOptions): Guard
export function createGuard(options: GuardOptions & { readonly ownClaims?: ReadOwnClaims<unknown> }): Guard {
  const settings = settle(options)
  const complete = options.ownClaims ? withOwn(options.ownClaims) : (claims: AccessClaims) => claims
  const { resourceMetadata } = settings
  const remembers = settings.tokenCache !== undefined
  return guardOf(settings, prepareClaims(complete, { remembers, resourceMetadata }))
}

function guardOf<Own>(settings: Settings, reader: ClaimsReader<Own>): Guard<Own> {
  function check(
    request: GuardRequest,
    needs?: Needs & { optional?: false | undefined },
  ): Soon<Admission<Own>>
  function check(request: GuardRequest, needs: Needs | undefined): Soon<Admission<Own> | Anonymous>
  function check(request: GuardRequest, needs: Needs = noNeeds): Soon<Admission<Own> | Anonymous> {
    let prepared: PreparedNeeds
    try {
      prepared = prepareNeeds(needs)
      requireRevocations(settings, prepared)
    } catch (mistake) {
      return Promise.reject(mistake)
    }
    try {
      const { isOptional, whenStale } = prepared
      const admission = admit({ settings, reader, request, isOptional, whenStale })
      return 'type' in admission ? judged(admission, prepared) : judgedLater(admission, prepared)
    } catch (error) {
      return failed(error)
    }
  }
  async function judgedLater(admission: Promise<Admission<Own> | Anonymous>, needs: PreparedNeeds) {
    try {
      return judged(await admission, needs)
    } catch (error) {
      return failed(error)
    }
  }
  function judged(admission: Admission<Own> | Anonymous, needs: PreparedNeeds) {
    if (admission.type !== 'admitted') return admission
    const refused = judgeNeeds(needs, admission.claims, settings)
    return refused ? withHeaders(refused, admission.headers) : admission
  }
  function failed(error: unknown): Refusal {
    settings.onError(error)
    return unavailable('guard_unavailable', 'The access token cannot be checked at the moment.')
  }
  return Object.freeze({
    check,
    judge(claims: AccessClaims, needs: Needs) {
      const prepared = prepareNeeds(needs)
      requireRevocations(settings, prepared)
      return refuseWhenStale(settings, prepared) ?? judgeNeeds(prepared, claims, settings)
    },
    hasAdmitted: reader.hasRead,
    metadata: settings.metadata,
    revoked: (claims: AccessClaims) => settings.revocations.revoked(claims, reader.kidOf(claims)),
    subscribe: (listener: () => void) => settings.revocations.subscribe(listener),
    status: () => ({ revocations: settings.revocations.status() }),
    close: () => settings.revocations.close(),
  })
}

function requireRevocations({ revocations }: Settings, { whenStale }: PreparedNeeds): void {
  if (whenStale !== 'refuse' || revocations.isFollowed) return
  throw new GuardError('options_invalid', "whenStale: 'refuse' needs a guard that follows revocations.")
}

/** For a request that was admitted before, maybe under a milder rule. */
function refuseWhenStale({ revocations }: Settings, { whenStale }: PreparedNeeds): Refusal | undefined {
  return whenStale === 'refuse' && revocations.status().state !== 'live' ? staleRefusal() : undefined
}

function staleRefusal(): Refusal {
  return unavailable('revocations_stale', 'It is not known at the moment what was revoked.')
}

const noNeeds: Needs = {}

/** A request on its way through a guard. */
type Visit<Own> = {
  readonly settings: Settings
  readonly reader: ClaimsReader<Own>
  readonly request: GuardRequest
  readonly isOptional: boolean
  readonly whenStale: WhenStale | undefined
}

function admit<Own>(visit: Visit<Own>): Soon<Admission<Own> | Anonymous> {
  const { settings, request, isOptional } = visit
  const credential = findCredential(settings, request)
  if (credential.type === 'none') return isOptional ? anonymous : tokenRequired(settings)
  if (credential.type === 'refused') return credential
  const admission = admitPresented(visit, credential)
  return isOptional && credential.from === 'cookie' ? orAnonymous(admission) : admission
}

/** Browsers send cookies by themselves, long after their token has expired. */
async function orAnonymous<Own>(admitted: Soon<Admission<Own>>): Promise<Admission<Own> | Anonymous> {
  const admission = await admitted
  return admission.type === 'refused' && admission.status === 401 ? anonymous : admission
}

const anonymous: Anonymous = Object.freeze({ type: 'anonymous', claims: undefined, headers: [] })

type Presented = Extract<Credential, { type: 'token' }>

function admitPresented<Own>(visit: Visit<Own>, presented: Presented): Soon<Admission<Own>> {
  try {
    const verified = visit.settings.verify(presented.token)
    return 'claims' in verified
      ? admitVerified(visit, presented, verified)
      : admitLater(visit, presented, verified)
  } catch (error) {
    return renewOrRefuse(visit, presented, error)
  }
}

async function admitLater<Own>(
  visit: Visit<Own>,
  presented: Presented,
  verified: Promise<VerifiedJwt>,
): Promise<Admission<Own>> {
  try {
    return await admitVerified(visit, presented, await verified)
  } catch (error) {
    return renewOrRefuse(visit, presented, error)
  }
}

function admitVerified<Own>(
  visit: Visit<Own>,
  presented: Presented,
  { claims: verified, key: { kid } }: VerifiedJwt,
): Soon<Admission<Own>> {
  const { settings, reader, whenStale } = visit
  const claims = reader.read(verified, kid)
  const verdict = settings.revocations.judge(claims, { kid, whenStale })
  return typeof verdict === 'string'
    ? admitUnrevoked(visit, presented, { claims, verdict })
    : verdict.then((known) => admitUnrevoked(visit, presented, { claims, verdict: known }))
}

function admitUnrevoked<Own>(
  visit: Visit<Own>,
  presented: Presented,
  { claims, verdict }: { readonly claims: Claims<Own>; readonly verdict: Verdict },
): Soon<Admission<Own>> {
  switch (verdict) {
    case 'good':
      return admitHolder(visit, presented, claims)
    case 'revoked':
      return renewed(visit, presented, 'The access token was revoked.')
    case 'stale':
      return staleRefusal()
  }
}

function renewOrRefuse<Own>(visit: Visit<Own>, presented: Presented, error: unknown): Soon<Admission<Own>> {
  if (!(error instanceof JwtError)) throw error
  if (error.code === 'token_expired') return renewed(visit, presented, 'The access token expired.')
  return refuseToken(visit.settings, error, presented)
}

/** The token is good; whether it is the sender's to use, its binding says (RFC 9449 §7). */
function admitHolder<Own>(
  visit: Visit<Own>,
  presented: Presented,
  claims: Claims<Own>,
): Soon<Admission<Own>> {
  const binding = judgeBinding(visit.settings, presented, claims.cnf)
  switch (binding.type) {
    case 'refused':
      return binding
    case 'unbound':
      return { type: 'admitted', claims, token: presented.token, headers: noHeaders }
    case 'bound':
      return admitProven(visit, presented, { ...binding, claims })
  }
}

async function admitProven<Own>(
  { settings, request }: Visit<Own>,
  presented: Presented,
  { dpop, jkt, claims }: { readonly dpop: DpopSettings; readonly jkt: string; readonly claims: Claims<Own> },
): Promise<Admission<Own>> {
  const { token } = presented
  const uri = targetUri(dpop.originFor(request), request.url)
  const sent = { field: request.header('dpop'), method: request.method, uri, accessToken: token }
  const verdict = await dpop.check({ ...sent, jkt })
  if (verdict.type !== 'proven') return proofRefused(challenged(settings, presented), verdict)
  return { type: 'admitted', claims, token, headers: nextNonce(verdict.nextNonce) }
}

const noHeaders: readonly HeaderPair[] = []

/** Whether a token may come like this at all, and whether it needs a proof. */
function judgeBinding(
  settings: Settings,
  presented: Presented,
  cnf: unknown,
): Refusal | { type: 'unbound' } | { type: 'bound'; dpop: DpopSettings; jkt: string } {
  const { dpop } = settings
  const binding = bindingOf(presented.scheme, cnf)
  switch (binding.type) {
    case 'mismatch':
      return refuse(settings, presented, binding.description)
    case 'unbound':
      return dpop?.isRequired
        ? refuse(settings, presented, 'This needs a token that is bound to a key.')
        : binding
    case 'bound':
      return dpop ? { ...binding, dpop } : refuse(settings, presented, 'DPoP proofs are not taken here.')
  }
}

function refuse(settings: Settings, presented: Presented, why: string): Refusal {
  return invalidToken(challenged(settings, presented), why)
}

function challenged({ schemes, resourceMetadata }: Settings, { scheme }: Presented): Challenged {
  return { schemes, scheme, resourceMetadata }
}

/** A cache that kept the answer would hand out an old nonce later (RFC 9449 §8.2). */
function nextNonce(nonce: string | undefined): readonly HeaderPair[] {
  return nonce === undefined ? [] : [...nonceField(nonce), ['cache-control', 'private, no-store']]
}

/**
 * The token is authentic, but its time is over, or it was revoked: its session may be alive all the same, with roles taken away.
 * One that is bound to a key is renewed where its session is, by the client itself, which is no risk to it: it does not rotate. So
 * its refresh token never comes to an API.
 */
async function renewed<Own>(visit: Visit<Own>, presented: Presented, why: string): Promise<Admission<Own>> {
  const { settings, request } = visit
  const binding = judgeBinding(settings, presented, decodeUnverified(presented.token).claims['cnf'])
  if (binding.type === 'refused') return binding
  const refused = refuse(settings, presented, why)
  if (binding.type === 'bound') return refused
  const renewal = await settings.renew(request)
  switch (renewal.type) {
    case 'renewed':
      return withRenewed(visit, presented, renewal)
    case 'refused':
      return renewalRefused(challenged(settings, presented), renewal)
    case 'not-applicable':
      return refused
  }
}

/** The renewed token goes out even where its claims are not those that this app needs. */
function withRenewed<Own>(
  { settings, reader }: Visit<Own>,
  presented: Presented,
  renewal: Extract<Renewal, { type: 'renewed' }>,
): Admission<Own> {
  const { accessToken: token, headers } = renewal
  try {
    const { kid } = decodeUnverified(token).header
    return { type: 'admitted', claims: reader.read(renewal.claims, kid), token, headers }
  } catch (error) {
    if (!(error instanceof JwtError)) throw error
    return withHeaders(refuseToken(settings, error, presented), headers)
  }
}

/** Whatever is not known to be another's fault is the token's, so a code that is new there refuses here. */
function refuseToken(settings: Settings, error: JwtError, presented: Presented): Refusal {
  if (ownFaults.has(error.code)) throw error
  if (!keySetFaults.has(error.code)) return refuse(settings, presented, error.description)
  settings.onError(error)
  return unavailable('keys_unavailable', error.description)
}

const ownFaults: ReadonlySet<JwtErrorCode> = new Set(['key_invalid', 'options_invalid'])
const keySetFaults: ReadonlySet<JwtErrorCode> = new Set(['jwks_unavailable', 'jwks_invalid'])

/** A renewal stands, and its token goes out, even where the claims do not suffice. */
function withHeaders(refused: Refusal, headers: readonly HeaderPair[]): Refusal {
  return headers.length === 0 ? refused : { ...refused, headers: [...refused.headers, ...headers] }
}
