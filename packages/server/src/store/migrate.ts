import { sql, type Transaction } from 'kysely'
import { migrations } from './migrations.ts'
import { inTransaction, type Store } from './open-store.ts'
import type { Tables } from './tables.ts'

const LOCK = 0x6d617061

/**
 * Brings the tables up to date and returns the names of the steps it took. Any number of processes
 * may call it at once: one works, the others wait and find nothing to do.
 */
export async function migrate(store: Store): Promise<readonly string[]> {
  if ((await pendingMigrations(store)).length === 0) return []
  return inTransaction(store, async (db) => {
    if (store.kind === 'postgres') {
      await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(db)
      await sql`create schema if not exists ${sql.id(store.schema)}`.execute(db)
    }
    await sql`create table if not exists migrations (name text primary key, applied_at bigint not null)`.execute(
      db,
    )
    const applied = await appliedNames(db)
    const pending = Object.entries(migrations).filter(([name]) => !applied.has(name))
    for (const [name, step] of pending) {
      await step(db, store.kind)
      await sql`insert into migrations (name, applied_at) values (${name}, ${Date.now()})`.execute(db)
    }
    return pending.map(([name]) => name)
  })
}

/** The steps that {@link migrate} would take. */
export async function pendingMigrations(store: Store): Promise<readonly string[]> {
  const exists =
    store.kind === 'sqlite'
      ? sql<{
          n: number
        }>`select count(*) as n from sqlite_master where type = 'table' and name = 'migrations'`
      : sql<{
          n: number
        }>`select count(*) as n from pg_tables where schemaname = ${store.schema} and tablename = 'migrations'`
  const { rows } = await exists.execute(store.db)
  const applied = rows[0]?.n ? await appliedNames(store.db) : new Set<string>()
  return Object.keys(migrations).filter((name) => !applied.has(name))
}

async function appliedNames(db: Store['db'] | Transaction<Tables>): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ name: string }>`select name from migrations`.execute(db)
  return new Set(rows.map((row) => row.name))
}
