import type { EndReason } from './end-reasons.ts'
import type { SessionEndedEvent } from './events.ts'
import { whyEnded } from './session-rules.ts'
import type { SessionRecord } from './store/sessions.ts'

/** What there is to write down and tell of sessions that were ended together. */
export function endings(
  ids: readonly string[],
  {
    at,
    accountId,
    reason,
    bySession,
  }: { at: number; accountId: string; reason: EndReason; bySession?: string | undefined },
): readonly SessionEndedEvent[] {
  const detail = bySession === undefined ? { reason } : { reason, by_session: bySession }
  return ids.map((sessionId) => ({ type: 'session.ended', at, accountId, sessionId, detail }))
}

/** How and when a session ended that cannot be used any more at `now`, be it by itself; milliseconds. */
export function endOf(
  session: SessionRecord,
  now: number,
): { readonly reason: string; readonly at: number } | undefined {
  const reason = whyEnded(session, now)
  if (reason === undefined) return undefined
  return { reason, at: session.endedAt ?? session.disabledAt ?? session.idleExpiresAt }
}
