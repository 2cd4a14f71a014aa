import type { Context } from './context.ts'
import type { SessionEndedEvent } from './events.ts'
import { lastUse } from './idle-lifetime.ts'
import { endings } from './session-endings.ts'
import type { Tx } from './store/open-store.ts'
import { endSession, liveSessions } from './store/sessions.ts'

/**
 * Ends the sessions of an account that were not used for longest, but not `newcomer`, the one that was opened just now, so that there are
 * no more than `sessionsPerAccount`. The account must be locked: of logins at the same time each sees those before it.
 * Returns what happened, still to be recorded; the ended ones are still to be revoked.
 */
export async function makeRoom(
  ctx: Context,
  db: Tx,
  { accountId, newcomer, now }: { accountId: string; newcomer: string; now: number },
): Promise<readonly SessionEndedEvent[]> {
  const sessions = await liveSessions(db, accountId, now)
  const tooMany = sessions.length - ctx.settings.sessionsPerAccount
  const others = sessions.filter(({ id }) => id !== newcomer)
  const byUse = others.toSorted((a, b) => lastUse(ctx, a) - lastUse(ctx, b))
  const ended: string[] = []
  for (const { id } of byUse.slice(0, Math.max(0, tooMany))) {
    if (await endSession(db, { id, reason: REASON, now })) ended.push(id)
  }
  return endings(ended, { at: now, accountId, reason: REASON, bySession: newcomer })
}

const REASON = 'session_limit'
