import type { Actor, Source } from './actor.ts'
import { deviceOf } from './device.ts'
import { endReasons } from './end-reasons.ts'
import { type AuditedEvent, type AuthEvent, eventTypes } from './events.ts'
import { type AuditRecord, insertAudit, insertSeldomAudit } from './store/audit-log.ts'
import type { Db, Store } from './store/open-store.ts'

/**
 * Writes an event down, on `db` (a transaction, where the event and the change belong together). Without a source nobody
 * asked for it just then.
 */
export function record(db: Db, event: AuditedEvent, source?: Source): Promise<void> {
  return recordAll(db, [event], source)
}

/** Writes events down that have one source, in their order. */
export function recordAll(db: Db, events: readonly AuditedEvent[], source?: Source): Promise<void> {
  return insertAudit(
    db,
    events.map((event) => entryOf(event, source)),
  )
}

/** Writes an event down and tells it. */
export async function audit(
  { store, emit }: { readonly store: Store; readonly emit: (event: AuthEvent) => void },
  event: AuditedEvent,
  source?: Source,
): Promise<void> {
  await record(store.db, event, source)
  emit(event)
}

/** Lines of one type on one session or account in a day. */
const MOST_A_DAY = 20
const DAY = 86_400_000

/**
 * Writes down what whoever holds a token can bring about as often as they like: 20 times a day for a session, or where it is about
 * none, an account, so that nobody fills the log, or buries in the time line what they did before.
 */
export function recordSeldom(db: Db, event: AuditedEvent, source: Source): Promise<void> {
  return insertSeldomAudit(db, entryOf(event, source), { most: MOST_A_DAY, since: event.at - DAY })
}

/** The same, and tells it, each time. */
export async function auditSeldom(
  { store, emit }: { readonly store: Store; readonly emit: (event: AuthEvent) => void },
  event: AuditedEvent,
  source: Source,
): Promise<void> {
  await recordSeldom(store.db, event, source)
  emit(event)
}

/** What is written down of an event. */
export function entryOf(event: AuditedEvent, source: Source | undefined): AuditRecord {
  const admin = source && 'by' in source ? source : undefined
  const from = source && 'network' in source ? source : undefined
  return {
    at: event.at,
    type: event.type,
    accountId: event.accountId ?? null,
    sessionId: 'sessionId' in event ? event.sessionId : null,
    actor: admin ? 'admin' : usualActor(event),
    doneBy: admin?.by ?? null,
    network: from?.network ?? null,
    device: deviceOf(from?.userAgent ?? null),
    place: from?.place ?? null,
    detail: JSON.stringify(event.detail ?? {}),
  }
}

function usualActor(event: AuditedEvent): Actor {
  return event.type === 'session.ended' ? endReasons[event.detail.reason].actor : eventTypes[event.type].actor
}
