import type { Context } from './context.ts'
import type { AuthEvent } from './events.ts'
import { insertAudit } from './store/audit-log.ts'
import type { Db } from './store/open-store.ts'

type AccountEvent = Extract<AuthEvent, { readonly accountId: unknown }>

/** Writes an event down, on `db` (a transaction, where the event and the change belong together). */
export async function record(
  db: Db,
  event: AccountEvent,
  { network = null }: { network?: string | null } = {},
): Promise<void> {
  await insertAudit(db, {
    at: event.at,
    type: event.type,
    accountId: event.accountId,
    sessionId: 'sessionId' in event ? event.sessionId : null,
    network,
    detail: JSON.stringify('detail' in event ? event.detail : {}),
  })
}

/** Writes an event down and tells it. */
export async function audit(
  ctx: Context,
  event: AccountEvent,
  from?: { network: string | null },
): Promise<void> {
  await record(ctx.store.db, event, from)
  ctx.emit(event)
}
