import type { Db } from './open-store.ts'

export interface AuditRecord {
  readonly at: number
  readonly type: string
  readonly accountId: string | null
  readonly sessionId: string | null
  readonly network: string | null
  readonly detail: string
}

export async function insertAudit(db: Db, entry: AuditRecord): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      at: entry.at,
      type: entry.type,
      account_id: entry.accountId,
      session_id: entry.sessionId,
      network: entry.network,
      detail: entry.detail,
    })
    .execute()
}
