import { type Insertable, sql } from 'kysely'
import type { Db } from './open-store.ts'
import { type Prepared, prepared } from './prepared.ts'
import { raiseSetting } from './settings.ts'
import type { Tables } from './tables.ts'

export interface AuditRecord {
  /** Milliseconds. */
  readonly at: number
  readonly type: string
  readonly accountId: string | null
  readonly sessionId: string | null
  readonly actor: string | null
  /** In whose name, where an administrator did it. */
  readonly doneBy: string | null
  readonly network: string | null
  readonly device: string | null
  readonly place: string | null
  /** JSON, an object. */
  readonly detail: string
}

export interface WrittenAuditRecord extends AuditRecord {
  /** Rises from line to line. */
  readonly seq: number
}

/** In one statement: a database takes so many parameters and not more. */
const AT_ONCE = 500

export async function insertAudit(db: Db, entries: readonly AuditRecord[]): Promise<void> {
  for (let start = 0; start < entries.length; start += AT_ONCE)
    await db
      .insertInto('audit')
      .values(entries.slice(start, start + AT_ONCE).map(rowOf))
      .execute()
}

function rowOf(entry: AuditRecord): Insertable<Tables['audit']> {
  return {
    at: entry.at,
    type: entry.type,
    account_id: entry.accountId,
    session_id: entry.sessionId,
    actor: entry.actor,
    done_by: entry.doneBy,
    network: entry.network,
    device: entry.device,
    place: entry.place,
    detail: entry.detail,
  }
}

/** One line, as {@link insertAudit} writes it. */
export const auditInsertion: Prepared<AuditRecord & Readonly<Record<string, unknown>>, unknown> = prepared(
  (db, line) => db.insertInto('audit').values(rowOf(line)),
)

/** Writes a line, unless `most` of its type on its session, or else its account, were written after `since`. */
export async function insertSeldomAudit(
  db: Db,
  entry: AuditRecord,
  { most, since }: { most: number; since: number },
): Promise<void> {
  const text = (value: string | null) => sql`cast(${value} as text)`
  const { at, type, accountId, sessionId, detail } = entry
  const isOfTheSame = sessionId === null ? sql`account_id = ${accountId}` : sql`session_id = ${sessionId}`
  const who = sql.join([accountId, sessionId, entry.actor, entry.doneBy].map(text))
  const where = sql.join([entry.network, entry.device, entry.place].map(text))
  await sql`
    insert into audit (at, type, account_id, session_id, actor, done_by, network, device, place, detail)
    select cast(${at} as bigint), ${text(type)}, ${who}, ${where}, ${text(detail)}
    where (select count(*) from audit where ${isOfTheSame} and type = ${type} and at > ${since}) < ${most}`.execute(
    db,
  )
}

const columns = [
  'seq',
  'at',
  'type',
  'account_id as accountId',
  'session_id as sessionId',
  'actor',
  'done_by as doneBy',
  'network',
  'device',
  'place',
  'detail',
] as const

export interface AuditQuery {
  /** What comes behind this line. */
  readonly after: number
  readonly limit: number
  /** Milliseconds. */
  readonly since?: number | undefined
  readonly types?: readonly string[] | undefined
  readonly accountId?: string | undefined
}

/** A page of the log, in its order. */
export function readAudit(
  db: Db,
  { after, limit, since, types, accountId }: AuditQuery,
): Promise<WrittenAuditRecord[]> {
  return db
    .selectFrom('audit')
    .select(columns)
    .where('seq', '>', after)
    .$if(since !== undefined, (query) => query.where('at', '>=', since ?? 0))
    .$if(types !== undefined, (query) => query.where('type', 'in', types ?? []))
    .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId ?? ''))
    .orderBy('seq')
    .limit(limit)
    .execute()
}

/** The newest lines on a session, in their order; of some types, or of all. */
export async function readSessionAudit(
  db: Db,
  { sessionId, types, limit }: { sessionId: string; types?: readonly string[]; limit: number },
): Promise<readonly WrittenAuditRecord[]> {
  const newest = await db
    .selectFrom('audit')
    .select(columns)
    .where('session_id', '=', sessionId)
    .$if(types !== undefined, (query) => query.where('type', 'in', types ?? []))
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute()
  return newest.toReversed()
}

/**
 * Among the lines of some types on a session: how many tell of this network and device, and how many of type `type` were
 * written after `since`.
 */
export async function countSightings(
  db: Db,
  {
    sessionId,
    types,
    network,
    device,
    lately,
  }: {
    sessionId: string
    types: readonly string[]
    network: string | null
    device: string | null
    lately: { readonly type: string; readonly since: number }
  },
): Promise<{ readonly same: number; readonly lately: number }> {
  const isSame = sql`coalesce(network, '') = ${network ?? ''} and coalesce(device, '') = ${device ?? ''}`
  const isLate = sql`type = ${lately.type} and at > ${lately.since}`
  return db
    .selectFrom('audit')
    .select([
      sql<number>`coalesce(sum(case when ${isSame} then 1 else 0 end), 0)`.as('same'),
      sql<number>`coalesce(sum(case when ${isLate} then 1 else 0 end), 0)`.as('lately'),
    ])
    .where('session_id', '=', sessionId)
    .where('type', 'in', types)
    .executeTakeFirstOrThrow()
}

/** Until when lines may be removed: a trigger refuses to remove what is younger, whoever asks. */
export const AUDIT_KEPT_FROM = 'audit_kept_from'

/** Removes lines that were written before a moment; nothing else can. */
export async function sweepAudit(
  db: Db,
  { before, limit }: { before: number; limit: number },
): Promise<number> {
  const oldest = await db
    .selectFrom('audit')
    .select('seq')
    .where('at', '<', before)
    .orderBy('at')
    .limit(limit)
    .execute()
  if (oldest.length === 0) return 0
  await raiseSetting(db, AUDIT_KEPT_FROM, before)
  const { numDeletedRows } = await db
    .deleteFrom('audit')
    .where(
      'seq',
      'in',
      oldest.map(({ seq }) => seq),
    )
    .executeTakeFirst()
  return Number(numDeletedRows)
}
