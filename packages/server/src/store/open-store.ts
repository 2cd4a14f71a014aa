import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
  type Transaction,
} from 'kysely'
import { checkedDriver, retried } from './checked-driver.ts'
import { postgresDriver } from './postgres-driver.ts'
import { type Listening, listenOnPostgres } from './postgres-listener.ts'
import { sqliteDriver } from './sqlite-driver.ts'
import type { Tables } from './tables.ts'

export interface Store {
  readonly kind: 'sqlite' | 'postgres'
  readonly db: Kysely<Tables>
  readonly schema: string
  /** Calls `heard` when another process has revoked something, where the database tells; SQLite does not, and is read often instead. */
  listen(heard: () => void): Listening
  /**
   * Resolves once everything that a read could have seen until now would survive a power failure: for whoever tells others of it who
   * do not forget it again.
   */
  flushed(): Promise<void>
  /** Waits for the statements under way and lets go of the database; every later one fails as `unavailable`. */
  close(): Promise<void>
}

/** What a statement runs on: the database, or a transaction on it. */
export type Db = Kysely<Tables> | Transaction<Tables>

export type DatabaseAddress =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string }

/** `sqlite:./data/mapae.db` or `postgres://…`; anything else is `undefined`. */
export function parseDatabaseAddress(database: string): DatabaseAddress | undefined {
  if (/^postgres(ql)?:\/\//.test(database)) return { kind: 'postgres', url: database }
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(database)?.[1]
  return path && path !== ':memory:' ? { kind: 'sqlite', path } : undefined
}

/** Opens lazily: the first statement connects. */
export function openStore(address: DatabaseAddress, schema: string): Store {
  if (address.kind === 'sqlite') mkdirSync(dirname(address.path), { recursive: true, mode: 0o700 })
  // PostgreSQL shows nobody what is not on its disk.
  const opened =
    address.kind === 'sqlite'
      ? sqliteDriver(address.path)
      : { ...postgresDriver({ url: address.url, schema }), flushed: async () => {} }
  const driver = checkedDriver(opened)
  const dialect = address.kind === 'sqlite' ? sqlite(driver) : postgres(driver)
  // Not Kysely's `destroy`: after that it throws errors of its own at the requests that are half done.
  return {
    kind: address.kind,
    db: new Kysely<Tables>({ dialect }),
    schema,
    listen: (heard) =>
      address.kind === 'postgres' ? listenOnPostgres(address.url, heard) : { async close() {} },
    flushed: opened.flushed,
    close: () => driver.destroy(),
  }
}

/**
 * All of `work` or nothing, tried again when another transaction was in the way.
 * Nothing but statements on the given transaction belongs inside.
 */
export function inTransaction<T>(store: Store, work: (db: Transaction<Tables>) => Promise<T>): Promise<T> {
  return retried(() => store.db.transaction().execute(work))
}

/** For the few statements that the two databases write differently. */
export function isPostgres(db: Db): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter
}

/** The database's own clock, in milliseconds. */
export async function databaseTime({ kind, db }: Store): Promise<number> {
  const now =
    kind === 'sqlite'
      ? sql<number>`(julianday('now') - 2440587.5) * 86400000.0`
      : sql<number>`(extract(epoch from clock_timestamp()) * 1000)::float8`
  const row = await db.selectNoFrom(now.as('now')).executeTakeFirstOrThrow()
  return row.now
}

function sqlite(driver: Driver): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

function postgres(driver: Driver): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

/** A transaction under way. */
export type Tx = Transaction<Tables>
