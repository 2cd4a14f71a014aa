import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { gather } from './gather.ts'
import { type Db, isPostgres } from './open-store.ts'

/** Ids that one statement asks for at most. */
const BATCH = 64

/**
 * A look at rows by an id. Those that are asked for side by side share one statement: on PostgreSQL what a statement costs is the
 * way there and back, and SQLite finds thirty rows for each other's sake in the time of eight. In transactions each goes by itself.
 * An id that PostgreSQL cannot hold has no rows: it would fail the statement for everybody.
 */
export function gatheredReads<Row>(reads: {
  readonly one: (db: Db, id: string) => Promise<readonly Row[]>
  readonly many: (db: Db, ids: Ids) => Promise<readonly Row[]>
  /** The id that a row was asked for by. */
  readonly idOf: (row: Row) => string
}): (db: Db, id: string) => Promise<readonly Row[]> {
  const readers = new WeakMap<Db, (id: string) => Promise<readonly Row[]>>()
  return async (db, id) => {
    if (id.includes('\0')) return []
    if (db.isTransaction) return reads.one(db, id)
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
        for (const row of await reads.many(db, isPostgres(db) ? ids : JSON.stringify(ids)))
          byId.get(reads.idOf(row))?.push(row)
        return (id) => byId.get(id) ?? []
      },
    })
  }
}

/** As one parameter: an array for PostgreSQL, JSON for SQLite. */
export type Ids = readonly string[] | string

/** Whether a column holds one of the ids: one parameter for however many. */
export function isOneOf(db: Db, column: string, ids: Ids): RawBuilder<SqlBool> {
  return isPostgres(db)
    ? sql<SqlBool>`${sql.ref(column)} = any(${ids}::text[])`
    : sql<SqlBool>`${sql.ref(column)} in (select value from json_each(${ids}))`
}
