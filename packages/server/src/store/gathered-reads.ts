import { type RawBuilder, sql } from 'kysely'
import { gather } from './gather.ts'
import { type Db, isPostgres } from './open-store.ts'
import type { Prepared } from './prepared.ts'
import { together } from './together.ts'

/** Ids that are asked for at once at most. */
const BATCH = 64

/**
 * A look at rows by an id. Those that are asked for side by side go to the database together: to PostgreSQL in one statement, since
 * what one costs is the way there and back; on SQLite one after the other, which finds thirty in the time of fifteen. (In one
 * statement it would find them faster still, but for statistics that somebody made it gather of a small table: then it reads the whole
 * of what that has become.) In transactions each goes by itself. An id that PostgreSQL cannot hold has no rows: it would fail the
 * statement for everybody.
 */
export function gatheredReads<Row>(reads: {
  readonly one: Prepared<{ readonly id: string }, Row>
  readonly many: Prepared<{ readonly ids: readonly string[] }, Row>
  /** The id that a row was asked for by. */
  readonly idOf: (row: Row) => string
}): (db: Db, id: string) => Promise<readonly Row[]> {
  const readers = new WeakMap<Db, (id: string) => Promise<readonly Row[]>>()
  return async (db, id) => {
    if (id.includes('\0')) return []
    if (db.isTransaction) return reads.one(db, { id })
    const reader = readers.get(db) ?? readerOf(db)
    readers.set(db, reader)
    return reader(id)
  }

  function readerOf(db: Db): (id: string) => Promise<readonly Row[]> {
    return gather<string, readonly Row[]>({
      atMost: BATCH,
      keyOf: (id) => id,
      async run(ids) {
        const found = await (isPostgres(db) ? inOne(db, ids) : inTurn(db, ids))
        return (id) => found.get(id) ?? []
      },
    })
  }

  async function inOne(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, readonly Row[]>> {
    const byId = new Map<string, Row[]>(ids.map((id) => [id, []]))
    for (const row of await reads.many(db, { ids })) byId.get(reads.idOf(row))?.push(row)
    return byId
  }

  function inTurn(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, readonly Row[]>> {
    return together(db, async (send) => {
      const found = await Promise.all(ids.map((id) => send(reads.one.filled(db, { id }))))
      return new Map(ids.map((id, at) => [id, found[at] ?? []]))
    })
  }
}

/** `= any(…)` of PostgreSQL, one parameter for however many. */
export function anyOf(ids: readonly string[]): RawBuilder<string> {
  return sql<string>`any(${ids}::text[])`
}
