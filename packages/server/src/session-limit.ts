import type { Context } from './context.ts'
import { idleLifetime } from './idle-lifetime.ts'
import type { Tx } from './store/open-store.ts'
import { endSession, liveSessions, type SessionRecord } from './store/sessions.ts'

/**
 * Ends the sessions of an account that were not used for longest, so that one more keeps within
 * `sessionsPerAccount`. The account must be locked: of logins at the same time each sees those before it.
 * Returns what happened, still to be recorded; the ended ones are still to be revoked.
 */
export async function makeRoom(
  ctx: Context,
  db: Tx,
  { accountId, now }: { accountId: string; now: number },
): Promise<readonly SessionLimitEvent[]> {
  const sessions = await liveSessions(db, accountId, now)
  const tooMany = sessions.length + 1 - ctx.settings.sessionsPerAccount
  if (tooMany <= 0) return []
  const ended: SessionLimitEvent[] = []
  const byUse = sessions.toSorted((a, b) => lastUse(ctx, a) - lastUse(ctx, b))
  for (const { id } of byUse.slice(0, tooMany)) {
    const isEnded = await endSession(db, { id, reason: REASON, now })
    if (isEnded)
      ended.push({ type: 'session.ended', at: now, accountId, sessionId: id, detail: { reason: REASON } })
  }
  return ended
}

const REASON = 'session_limit'

interface SessionLimitEvent {
  readonly type: 'session.ended'
  readonly at: number
  readonly accountId: string
  readonly sessionId: string
  readonly detail: { readonly reason: typeof REASON }
}

/** Milliseconds. An inline renewal moves the idle end and not `rotatedAt`. */
function lastUse(ctx: Context, session: SessionRecord): number {
  return Math.max(session.rotatedAt, session.idleExpiresAt - idleLifetime(ctx, session) * 1000)
}
