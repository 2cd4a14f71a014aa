import { bindingOf } from '@mapae/guard/dpop'
import {
  type AccessToken,
  type AccessTokenCheck,
  type AccessTokens,
  mintAccessToken,
} from './access-token.ts'
import { auditSeldom, recordAll } from './audit.ts'
import { type Possession, type ProofRefusal, refreshBoundSession } from './bound-renewal.ts'
import type { Context, Origin } from './context.ts'
import { idleEnd, idleLifetime } from './idle-lifetime.ts'
import { located } from './locate.ts'
import {
  hashSecret,
  isAuthentic,
  makeRefreshToken,
  type PresentedRefreshToken,
  parseRefreshToken,
  remakeRefreshToken,
} from './refresh-token.ts'
import { revoke } from './revocation.ts'
import type { Tokens } from './session.ts'
import { endings } from './session-endings.ts'
import { noticeMove } from './session-moves.ts'
import { judge, type Verdict } from './session-rules.ts'
import { inTransaction } from './store/open-store.ts'
import {
  endReusedSession,
  findSession,
  recordSharedFetch,
  rotateSession,
  type SessionRecord,
  touchSession,
} from './store/sessions.ts'
import { StoreError } from './store/store-error.ts'

/** What a renewal brings along. `arrivedAt` is milliseconds: when the request came in. */
export interface RenewalRequest {
  readonly refreshToken: string
  readonly accessToken: string | undefined
  readonly attemptId: string | undefined
  /** Needed for a session that is bound to a key, and refused for one that is not. */
  readonly possession: Possession
  readonly arrivedAt: number
  readonly from: Origin
}

export type RenewalRefusal =
  | { readonly type: 'access_token_required' }
  | { readonly type: 'invalid_token'; readonly description: string }
  | { readonly type: 'invalid_grant' }
  | { readonly type: 'session_ended'; readonly reason: string }
  | { readonly type: 'refresh_superseded' }
  | ProofRefusal

export type RefreshOutcome = { readonly type: 'refreshed'; readonly tokens: Tokens } | RenewalRefusal

export type InlineOutcome =
  | { readonly type: 'renewed'; readonly access: AccessToken; readonly session: SessionRecord }
  | RenewalRefusal

/** A row can change between the judgement and the statement, but only while others get on. */
const TRIES = 5

/**
 * Renews a session (M3, steps 12 to 14) by the session table of ARCHITECTURE.md: both tokens are proved,
 * then one conditional statement spends the generation. Of any number of racing callers one rotates and
 * the others are judged by a fresh read. A session that is bound to a key goes its own way: {@link refreshBoundSession}.
 */
export async function refreshSession(
  ctx: Context,
  tokens: AccessTokens,
  request: RenewalRequest,
): Promise<RefreshOutcome> {
  const proved = await prove(ctx, tokens, request)
  if (proved.type !== 'proved') return proved
  const { presented } = proved
  if (isBound(proved.session)) return refreshBoundSession(ctx, proved.session, request)
  if (request.possession.proof.field !== undefined || request.possession.scheme === 'DPoP') return notBound
  const attemptHash = request.attemptId === undefined ? undefined : hashSecret(request.attemptId)

  let session: SessionRecord | undefined = proved.session
  for (let attempt = 0; session && attempt < TRIES; attempt++) {
    const verdict = judgeRow(ctx, session, presented, { attemptHash, arrivedAt: request.arrivedAt })
    const outcome = await carryOut(ctx, verdict, { session, presented, attemptHash, from: request.from })
    if (outcome?.type === 'refreshed') await noticeMove(ctx, session, request.from)
    if (outcome) return outcome
    session = await findSession(ctx.store.db, presented.sid)
  }
  if (!session) return { type: 'invalid_grant' }
  throw new StoreError('unavailable', 'the session changed faster than it could be judged')
}

/**
 * Mints an access token without spending a generation (design: inline renewal), so that racing page loads
 * can log nobody out. The current refresh token will do, and the one before it within the reuse interval, or however late from a browser's
 * cookies: see {@link isLostAnswer}. It never ends a session: an older token is refused. What came late is written down. A session that is bound to a key is not renewed
 * here: without rotation nothing is gained by it, and its proofs are made for other addresses.
 */
export async function renewInline(
  ctx: Context,
  tokens: AccessTokens,
  request: Omit<RenewalRequest, 'attemptId' | 'possession'>,
): Promise<InlineOutcome> {
  const proved = await prove(ctx, tokens, request)
  if (proved.type !== 'proved') return proved
  const { session, presented } = proved
  if (isBound(session)) return renewedElsewhere
  const verdict = judgeRow(ctx, session, presented, { attemptHash: undefined, arrivedAt: request.arrivedAt })
  switch (verdict.type) {
    case 'rotate':
    case 'repeat':
    case 'adopt':
      return renewed(ctx, session, request)
    case 'ended':
      return { type: 'session_ended', reason: verdict.reason }
    case 'foreign':
      return { type: 'invalid_grant' }
    case 'superseded':
    case 'reused':
      await auditSeldom(
        ctx,
        about(ctx, 'session.stale_inline_renewal', session, { presented: presented.generation }),
        request.from,
      )
      return isLostAnswer(session, presented)
        ? renewed(ctx, session, { from: request.from, isLate: true })
        : { type: 'refresh_superseded' }
  }
}

/**
 * Whether a browser may be left with this token by an answer that got lost. The attempt id that brings its cookies up to date lies with the page
 * that made it: a page of another origin, or the server that renders one, cannot do that, and must not be stuck until that page is opened
 * again. Where the device keeps the tokens itself, whoever has them has the attempt id too.
 */
function isLostAnswer({ transport, generation }: SessionRecord, presented: PresentedRefreshToken): boolean {
  return transport === 'cookie' && generation - presented.generation === 1
}

const notBound: ProofRefusal = {
  type: 'invalid_dpop_proof',
  description: 'The session is not bound to a key: log in with a proof to open one that is.',
}

const renewedElsewhere: ProofRefusal = {
  type: 'invalid_dpop_proof',
  description: 'A session that is bound to a key is renewed at /auth/refresh, with a proof.',
}

function isBound(session: SessionRecord): session is SessionRecord & { readonly jkt: string } {
  return session.jkt !== null
}

/**
 * Minted first: what the claims option breaks must change nothing. What came late keeps no session awake: with a copy of its cookies a
 * session must not outlive the last use of its owner.
 */
async function renewed(
  ctx: Context,
  session: SessionRecord,
  { from, isLate = false }: { from: Origin; isLate?: boolean },
): Promise<InlineOutcome> {
  const access = await mintAccessToken(ctx, session)
  if (!isLate) await keepAwake(ctx, session)
  await noticeMove(ctx, session, from)
  return { type: 'renewed', access, session }
}

/** Rows 1 and 2: whether both tokens are ours and of one session. */
async function prove(
  ctx: Context,
  tokens: AccessTokens,
  request: Pick<RenewalRequest, 'accessToken' | 'refreshToken' | 'from'>,
): Promise<
  | { readonly type: 'proved'; readonly session: SessionRecord; readonly presented: PresentedRefreshToken }
  | RenewalRefusal
> {
  const access =
    request.accessToken === undefined ? undefined : await tokens.checkForRenewal(request.accessToken)
  const presented = parseRefreshToken(request.refreshToken)
  const session = await authenticSession(ctx, request.refreshToken)

  const refused = accessRefusal(ctx, access, presented, session)
  if (refused) {
    if (session)
      await auditSeldom(
        ctx,
        about(ctx, 'session.access_token_mismatch', session, { refused: refused.type }),
        request.from,
      )
    return refused
  }
  if (!presented || !session || session.clientId !== null) return { type: 'invalid_grant' }
  if (access?.type === 'withdrawn')
    await auditSeldom(ctx, about(ctx, 'session.access_token_withdrawn', session), request.from)
  return { type: 'proved', session, presented }
}

/** The session that a refresh token was made for, of whatever generation, ended or not; else undefined. */
export async function authenticSession(
  ctx: Context,
  refreshToken: string,
): Promise<SessionRecord | undefined> {
  const presented = parseRefreshToken(refreshToken)
  const session = presented && (await findSession(ctx.store.db, presented.sid))
  return session && isAuthentic(ctx.secrets, presented, session.salt) ? session : undefined
}

/** Row 1. A token under a withdrawn key counts as sent; it proves little, so the refresh token decides. */
function accessRefusal(
  ctx: Context,
  access: AccessTokenCheck | undefined,
  presented: PresentedRefreshToken | undefined,
  session: SessionRecord | undefined,
): RenewalRefusal | undefined {
  if (!access)
    return ctx.settings.accessTokenOnRefresh === 'required' ? { type: 'access_token_required' } : undefined
  if (access.type === 'invalid') return { type: 'invalid_token', description: access.description }
  const ofAnother =
    (presented && access.claims.sid !== presented.sid) || (session && access.claims.sub !== session.accountId)
  if (ofAnother) return { type: 'invalid_token', description: 'The access token belongs to another session.' }
  return session && !hasKeyOf(session, access.claims['cnf'])
    ? { type: 'invalid_token', description: 'The access token is not bound as its session is.' }
    : undefined
}

function hasKeyOf({ jkt }: SessionRecord, cnf: unknown): boolean {
  const binding = bindingOf(jkt === null ? 'Bearer' : 'DPoP', cnf)
  return binding.type === 'bound' ? binding.jkt === jkt : binding.type === 'unbound'
}

function judgeRow(
  ctx: Context,
  session: SessionRecord,
  presented: PresentedRefreshToken,
  { attemptHash, arrivedAt }: { attemptHash: string | undefined; arrivedAt: number },
): Verdict {
  const { generation, token } = presented
  return judge(
    session,
    { generation, refreshHash: hashSecret(token), attemptHash, arrivedAt },
    ctx.settings.reuseInterval,
  )
}

interface Case {
  readonly session: SessionRecord
  readonly presented: PresentedRefreshToken
  readonly attemptHash: string | undefined
  readonly from: Origin
}

/** Does what the verdict says; undefined when the row was no longer what was judged. */
async function carryOut(ctx: Context, verdict: Verdict, its: Case): Promise<RefreshOutcome | undefined> {
  switch (verdict.type) {
    case 'ended':
      return { type: 'session_ended', reason: verdict.reason }
    case 'foreign':
      return { type: 'invalid_grant' }
    case 'superseded':
      return { type: 'refresh_superseded' }
    case 'reused':
      return endForReuse(ctx, its)
    case 'repeat':
      return repeat(ctx, its, verdict.because)
    case 'rotate':
      return rotate(ctx, its, its.session.attemptHash)
    case 'adopt':
      return adopt(ctx, its)
  }
}

async function rotate(
  ctx: Context,
  { session, presented, attemptHash }: Case,
  previousAttemptHash: string | null,
): Promise<RefreshOutcome | undefined> {
  const now = ctx.clock()
  const generation = presented.generation + 1
  const refreshToken = makeRefreshToken(ctx.secrets[0], { sid: session.id, generation, salt: session.salt })
  const idleExpiresAt = idleEnd(ctx, now, session)
  const access = await mintAccessToken(ctx, session)
  const won = await rotateSession(ctx.store, {
    id: session.id,
    expected: { generation: session.generation, refreshHash: session.refreshHash },
    generation,
    refreshHash: hashSecret(refreshToken),
    attemptHash: attemptHash ?? null,
    previousAttemptHash,
    now,
    idleExpiresAt,
  })
  if (!won) return undefined
  const { remembered } = session
  return {
    type: 'refreshed',
    tokens: { sessionId: session.id, access, refreshToken, idleExpiresAt, remembered },
  }
}

/** Row 6: the database lost commits (a restored backup); the presented token is the newest there is. */
async function adopt(ctx: Context, its: Case): Promise<RefreshOutcome | undefined> {
  const outcome = await rotate(ctx, its, null)
  if (outcome) {
    const generations = { stored: its.session.generation, presented: its.presented.generation }
    await auditSeldom(ctx, about(ctx, 'session.adopted', its.session, generations), its.from)
  }
  return outcome
}

/** The same refresh token again, with a fresh access token: no rotation. */
async function repeat(
  ctx: Context,
  its: Case,
  because: Extract<Verdict, { type: 'repeat' }>['because'],
): Promise<RefreshOutcome> {
  const { session } = its
  const refreshToken = remakeRefreshToken(ctx.secrets, session)
  if (!refreshToken)
    throw new StoreError(
      'unavailable',
      'the current refresh token was made with a secret that is not configured',
    )
  const access = await mintAccessToken(ctx, session)
  if (because === 'within-interval') await recordUnknownFetch(ctx, its)
  return {
    type: 'refreshed',
    tokens: {
      sessionId: session.id,
      access,
      refreshToken,
      idleExpiresAt: session.idleExpiresAt,
      remembered: session.remembered,
    },
  }
}

/** Row 7, without the attempt id: one generation is a lost answer, three running are two parties on one line. */
async function recordUnknownFetch(ctx: Context, { session, from }: Case): Promise<void> {
  const run = await recordSharedFetch(ctx.store.db, session)
  if (run === undefined) return
  await auditSeldom(
    ctx,
    about(ctx, 'session.fetched_without_attempt', session, { generation: session.generation, run }),
    from,
  )
  if (run === 3)
    await auditSeldom(
      ctx,
      about(ctx, 'session.line_shared', session, { generation: session.generation }),
      from,
    )
}

/** Row 9: theft. The session ends, once, and its reason stays. */
async function endForReuse(
  ctx: Context,
  { session, presented, from }: Case,
): Promise<RefreshOutcome | undefined> {
  const reason = 'refresh_token_reuse'
  const seen = await located(ctx, from)
  const now = ctx.clock()
  const generations = { current: session.generation, presented: presented.generation }
  const events = [
    about(ctx, 'session.reuse_detected', session, generations),
    ...endings([session.id], { at: now, accountId: session.accountId, reason }),
  ]
  const ended = await inTransaction(ctx.store, async (db) => {
    if (!(await endReusedSession(db, { id: session.id, presented: presented.generation, reason, now })))
      return false
    await recordAll(db, events, seen)
    await revoke(ctx, db, [{ sid: session.id }])
    return true
  })
  if (!ended) return undefined
  for (const event of events) ctx.emit(event)
  return { type: 'session_ended', reason }
}

/** Use keeps a session awake; a write only when it moves the idle end by a twentieth of the idle lifetime. */
async function keepAwake(ctx: Context, session: SessionRecord): Promise<void> {
  const idleExpiresAt = idleEnd(ctx, ctx.clock(), session)
  if (idleExpiresAt - session.idleExpiresAt < idleLifetime(ctx, session) * 50) return
  await touchSession(ctx.store.db, { id: session.id, idleExpiresAt })
}

type SessionEventType =
  | 'session.reuse_detected'
  | 'session.line_shared'
  | 'session.fetched_without_attempt'
  | 'session.adopted'
  | 'session.access_token_mismatch'
  | 'session.access_token_withdrawn'
  | 'session.stale_inline_renewal'

function about(
  ctx: Context,
  type: SessionEventType,
  session: SessionRecord,
  detail: Readonly<Record<string, unknown>> = {},
): {
  readonly type: SessionEventType
  readonly at: number
  readonly accountId: string
  readonly sessionId: string
  readonly detail: Readonly<Record<string, unknown>>
} {
  return { type, at: ctx.clock(), accountId: session.accountId, sessionId: session.id, detail }
}
