import { type AuditLine, auditLine } from './audit-line.ts'
import type { Context } from './context.ts'
import { timelineTypes } from './events.ts'
import {
  type PersonalSession,
  personalSession,
  type SessionOverview,
  sessionOverview,
  wholeHour,
} from './session-overview.ts'
import { readSessionAudit } from './store/audit-log.ts'
import type { SessionRecord } from './store/sessions.ts'

/** What happened to a session, in the words of docs/events.md. */
export interface TimelineEntry {
  /** Seconds, rounded down to the hour. */
  readonly at: number
  readonly event: string
  /** `self`, `someone`, `admin` or `system`. */
  readonly actor: string | null
  readonly device: string | null
  readonly network: string | null
  readonly place: string | null
  /** Only with `session.ended`. */
  readonly end_reason?: string
}

/** What is known of a session, exactly. */
export interface SessionHistory {
  readonly session: SessionOverview
  /** The newest 200 lines of the audit log on it, in their order. */
  readonly audit: readonly AuditLine[]
}

/** A time line is as long as this at most; what is older is left out. */
const LONGEST = 200

/** A session of the person who asks, and what happened to it. */
export async function personalHistory(
  ctx: Context,
  session: SessionRecord,
  asking: { current: string },
): Promise<{ readonly session: PersonalSession; readonly timeline: readonly TimelineEntry[] }> {
  const overview = sessionOverview(ctx, session)
  const query = { sessionId: session.id, types: timelineTypes, limit: LONGEST }
  const lines = (await readSessionAudit(ctx.store.db, query)).map(auditLine)
  return {
    session: personalSession(overview, asking),
    timeline: [...lines.map(entryOf), ...ranOut(overview, lines)],
  }
}

/** A session and what the audit log says of it. */
export async function exactHistory(ctx: Context, session: SessionRecord): Promise<SessionHistory> {
  const lines = await readSessionAudit(ctx.store.db, { sessionId: session.id, limit: LONGEST })
  return { session: sessionOverview(ctx, session), audit: lines.map(auditLine) }
}

function entryOf({ at, type, actor, device, network, place, detail }: AuditLine): TimelineEntry {
  const reason = type === 'session.ended' ? detail['reason'] : undefined
  return {
    at: wholeHour(Math.floor(Date.parse(at) / 1000)),
    event: type,
    actor,
    device,
    network,
    place,
    ...(typeof reason === 'string' && { end_reason: reason }),
  }
}

/** A session that ran out by itself has no line of its end. */
function ranOut(
  { ended_at, end_reason }: SessionOverview,
  lines: readonly AuditLine[],
): readonly TimelineEntry[] {
  if (ended_at === null || end_reason === null) return []
  if (lines.some(({ type }) => type === 'session.ended')) return []
  const [device, network, place] = [null, null, null]
  const event = 'session.ended'
  return [{ at: wholeHour(ended_at), event, actor: 'system', device, network, place, end_reason }]
}
