import type { SessionEndedEvent } from './events.ts'
import { endings } from './session-endings.ts'
import type { Tx } from './store/open-store.ts'
import { endSession, type SessionRecord } from './store/sessions.ts'

/**
 * Ends the session whose cookies a login puts its own over, with what opens the new one: nobody could use it any more, or log it out,
 * and a renewal of it that arrives afterwards must not put its cookies over the new ones. Returns what happened, still to be
 * recorded; the session is still to be revoked.
 */
export async function endReplaced(
  db: Tx,
  session: Pick<SessionRecord, 'id' | 'accountId'> | undefined,
  now: number,
): Promise<readonly SessionEndedEvent[]> {
  if (!session || !(await endSession(db, { id: session.id, reason: REASON, now }))) return []
  return endings([session.id], { at: now, accountId: session.accountId, reason: REASON })
}

const REASON = 'replaced'
