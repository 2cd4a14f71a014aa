import { PostgresAdapter, type RawBuilder, sql } from 'kysely'
import { gather } from './gather.ts'
import type { Db } from './open-store.ts'

/** Ids that one statement asks for at most. */
const BATCH = 64

/**
 * A look at rows by an id. On PostgreSQL those that are asked for while an earlier look is under way share one statement, since what
 * a statement costs is the way there and back; on SQLite, where there is no way to go, and in transactions each goes by itself. An id that PostgreSQL cannot hold has no rows: it would fail the statement for
 * everybody.
 */
export function gatheredReads<Row>(reads: {
  readonly one: (db: Db, id: string) => Promise<readonly Row[]>
  readonly many: (db: Db, ids: readonly string[]) => Promise<readonly Row[]>
  /** The id that a row was asked for by. */
  readonly idOf: (row: Row) => string
}): (db: Db, id: string) => Promise<readonly Row[]> {
  const readers = new WeakMap<Db, (id: string) => Promise<readonly Row[]>>()
  return async (db, id) => {
    if (id.includes('\0')) return []
    if (db.isTransaction || !(db.getExecutor().adapter instanceof PostgresAdapter)) return reads.one(db, id)
    const reader = readers.get(db) ?? readerOf(db)
    readers.set(db, reader)
    return reader(id)
  }

  function readerOf(db: Db): (id: string) => Promise<readonly Row[]> {
    return gather<string, readonly Row[]>({
      atMost: BATCH,
      keyOf: (id) => id,
      async run(ids) {
        const byId = new Map<string, Row[]>(ids.map((id) => [id, []]))
        for (const row of await reads.many(db, ids)) byId.get(reads.idOf(row))?.push(row)
        return (id) => byId.get(id) ?? []
      },
    })
  }
}

/** `= any(…)` of PostgreSQL, one parameter for however many. */
export function anyOf(ids: readonly string[]): RawBuilder<string> {
  return sql<string>`any(${ids}::text[])`
}
