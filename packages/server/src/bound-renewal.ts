import type { TokenScheme } from '@mapae/guard/dpop'
import { mintAccessToken } from './access-token.ts'
import { auditSeldom } from './audit.ts'
import type { Context, Origin } from './context.ts'
import { idleEnd } from './idle-lifetime.ts'
import type { SentProof } from './proofs.ts'
import { hashSecret, makeRefreshToken, remakeRefreshToken } from './refresh-token.ts'
import type { Tokens } from './session.ts'
import { noticeMove } from './session-moves.ts'
import { whyEnded } from './session-rules.ts'
import { findSession, renewBoundSession, type SessionRecord } from './store/sessions.ts'
import { StoreError } from './store/store-error.ts'

/** What shows that the sender of both tokens has the key that their session is bound to. */
export interface Possession {
  /** How the access token was presented; undefined when none was. */
  readonly scheme: TokenScheme | undefined
  readonly proof: SentProof
}

export interface BoundRenewalRequest {
  readonly accessToken: string | undefined
  readonly possession: Possession
  readonly arrivedAt: number
  readonly from: Origin
}

export type ProofRefusal = {
  readonly type: 'invalid_dpop_proof' | 'use_dpop_nonce'
  readonly description: string
}

export type BoundOutcome =
  | { readonly type: 'refreshed'; readonly tokens: Tokens }
  | { readonly type: 'session_ended'; readonly reason: string }
  | ProofRefusal

/**
 * Renews a session that is bound to a key (RFC 9449 §5). The proof takes the place of rotation (RFC 9700 §4.14.2): the same refresh
 * token comes back with a fresh access token, so that no lost answer and no second tab can do harm. Rows 1 and 2 of the session
 * table hold already; row 3 comes after the proof, since only the client itself is told why its session ended.
 *
 * A wrong or missing proof changes nothing. It is written down: both tokens were authentic, so somebody has copied them.
 */
export async function refreshBoundSession(
  ctx: Context,
  session: SessionRecord & { readonly jkt: string },
  request: BoundRenewalRequest,
): Promise<BoundOutcome> {
  const refused = await refuseProof(ctx, session.jkt, request)
  if (refused?.type === 'invalid_dpop_proof') await auditRefusal(ctx, session, refused, request.from)
  if (refused) return refused
  const reason = whyEnded(session, request.arrivedAt)
  if (reason) return { type: 'session_ended', reason }
  const outcome = await renew(ctx, session)
  if (outcome.type === 'refreshed') await noticeMove(ctx, session, request.from)
  return outcome
}

async function refuseProof(
  ctx: Context,
  jkt: string,
  { accessToken, possession }: BoundRenewalRequest,
): Promise<ProofRefusal | undefined> {
  const { scheme, proof } = possession
  if (accessToken !== undefined && scheme !== 'DPoP')
    return { type: 'invalid_dpop_proof', description: 'The access token is bound to a key: send it as DPoP.' }
  const verdict = await ctx.proofs.check({ ...proof, accessToken, jkt })
  return verdict.type === 'proven' ? undefined : verdict
}

async function renew(ctx: Context, session: SessionRecord): Promise<BoundOutcome> {
  const now = ctx.clock()
  const refreshToken = currentRefreshToken(ctx, session)
  const access = await mintAccessToken(ctx, session)
  const idleExpiresAt = idleEnd(ctx, now, session)
  const refreshHash = hashSecret(refreshToken)
  const isLive = await renewBoundSession(ctx.store.db, { id: session.id, refreshHash, now, idleExpiresAt })
  if (!isLive) return endedMeanwhile(ctx, session, now)
  const { id: sessionId, remembered } = session
  return { type: 'refreshed', tokens: { sessionId, access, refreshToken, idleExpiresAt, remembered } }
}

/**
 * The token of the session's one generation, made with the newest secret, so that the session outlives the older ones. A client
 * that misses it goes on with the one that it has.
 */
function currentRefreshToken(ctx: Context, session: SessionRecord): string {
  if (!remakeRefreshToken(ctx.secrets, session))
    throw new StoreError('unavailable', 'the refresh token was made with a secret that is not configured')
  const { id: sid, generation, salt } = session
  return makeRefreshToken(ctx.secrets[0], { sid, generation, salt })
}

async function endedMeanwhile(ctx: Context, { id }: SessionRecord, now: number): Promise<BoundOutcome> {
  const session = await findSession(ctx.store.db, id)
  return { type: 'session_ended', reason: (session && whyEnded(session, now)) ?? 'ended' }
}

async function auditRefusal(
  ctx: Context,
  { id, accountId }: SessionRecord,
  { description }: ProofRefusal,
  from: Origin,
): Promise<void> {
  const detail = { refused: description }
  const event = { type: 'session.proof_refused', at: ctx.clock(), accountId, sessionId: id, detail } as const
  await auditSeldom(ctx, event, from)
}
