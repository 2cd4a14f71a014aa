import type { Context } from './context.ts'
import { readAudit, type WrittenAuditRecord } from './store/audit-log.ts'

/** A line of the audit log, as it is exported: ids, and no e-mail address, name, token or whole network address. */
export interface AuditLine {
  /** Rises from line to line; with gaps. */
  readonly seq: number
  /** ISO 8601, UTC, to the millisecond. */
  readonly at: string
  readonly type: string
  readonly account_id: string | null
  readonly session_id: string | null
  /** `self`, `someone`, `admin` or `system`. */
  readonly actor: string | null
  /** In whose name, where an administrator did it. */
  readonly by: string | null
  readonly network: string | null
  readonly device: string | null
  readonly place: string | null
  readonly detail: Readonly<Record<string, unknown>>
}

export interface AuditPage {
  /** The `seq` that the page begins behind. @default 0 */
  readonly after?: number
  /** 1 to 1000. @default 1000 */
  readonly limit?: number
  /** Milliseconds. @default from the beginning */
  readonly since?: number | undefined
  /** @default all types */
  readonly types?: readonly string[] | undefined
  /** @default of everybody */
  readonly accountId?: string | undefined
}

const LARGEST = 1000

/** A page of the audit log, in its order; an empty one is the end. */
export async function auditPage(
  ctx: Context,
  { after = 0, limit = LARGEST, ...filter }: AuditPage = {},
): Promise<readonly AuditLine[]> {
  if (filter.types?.length === 0) return []
  const bounded = Math.min(LARGEST, Math.max(1, limit))
  const records = await readAudit(ctx.store.db, { after, limit: bounded, ...filter })
  return records.map(auditLine)
}

export function auditLine(record: WrittenAuditRecord): AuditLine {
  return {
    seq: record.seq,
    at: new Date(record.at).toISOString(),
    type: record.type,
    account_id: record.accountId,
    session_id: record.sessionId,
    actor: record.actor,
    by: record.doneBy,
    network: record.network,
    device: record.device,
    place: record.place,
    detail: JSON.parse(record.detail),
  }
}
