import { createRequire, isBuiltin } from 'node:module'

/** What Mapae uses of an SQLite library: the shape of `node:sqlite`. */
export interface SqliteDatabase {
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
  readonly isTransaction: boolean
}

export interface SqliteStatement {
  all(...parameters: SqliteValue[]): unknown[]
  run(...parameters: SqliteValue[]): { changes: number | bigint }
}

export type SqliteValue = string | number | bigint | null | Uint8Array

interface SqliteLibrary {
  DatabaseSync: new (path: string) => SqliteDatabase
}

/** The first Node whose own SQLite is not called experimental. */
const BUILT_IN_SINCE = 24

/** What a thread of its own requires for {@link loadSqlite}'s library. */
export function sqliteModule(): string {
  return hasBuiltIn() ? 'node:sqlite' : createRequire(import.meta.url).resolve('@photostructure/sqlite')
}

/** `node:sqlite` where Node has a settled one, else a package with the same interface. */
export async function loadSqlite(): Promise<SqliteLibrary> {
  const builtIn: unknown = hasBuiltIn() && process.getBuiltinModule('node:sqlite')
  return isLibrary(builtIn) ? builtIn : import('@photostructure/sqlite')
}

function hasBuiltIn(): boolean {
  return Number.parseInt(process.versions.node, 10) >= BUILT_IN_SINCE && isBuiltin('node:sqlite')
}

function isLibrary(module: unknown): module is SqliteLibrary {
  return typeof module === 'object' && module !== null && 'DatabaseSync' in module
}
