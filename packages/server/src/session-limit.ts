import type { Context } from './context.ts'
import type { SessionEndedEvent } from './events.ts'
import { lastUse } from './idle-lifetime.ts'
import { endings } from './session-endings.ts'
import type { Tx } from './store/open-store.ts'
import { endSession, liveSessions } from './store/sessions.ts'

/**
 * Ends the sessions of an account that were not used for longest, so that one more keeps within
 * `sessionsPerAccount` with the session `newcomer`. The account must be locked: of logins at the same time each sees those before it.
 * Returns what happened, still to be recorded; the ended ones are still to be revoked.
 */
export async function makeRoom(
  ctx: Context,
  db: Tx,
  { accountId, newcomer, now }: { accountId: string; newcomer: string; now: number },
): Promise<readonly SessionEndedEvent[]> {
  const sessions = await liveSessions(db, accountId, now)
  const tooMany = sessions.length + 1 - ctx.settings.sessionsPerAccount
  if (tooMany <= 0) return []
  const ended: string[] = []
  const byUse = sessions.toSorted((a, b) => lastUse(ctx, a) - lastUse(ctx, b))
  for (const { id } of byUse.slice(0, tooMany)) {
    if (await endSession(db, { id, reason: REASON, now })) ended.push(id)
  }
  return endings(ended, { at: now, accountId, reason: REASON, bySession: newcomer })
}

const REASON = 'session_limit'
