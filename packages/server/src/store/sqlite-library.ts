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

/** `node:sqlite` where Node has a settled one, else a package with the same interface. */
export async function loadSqlite(): Promise<SqliteLibrary> {
  if (Number.parseInt(process.versions.node, 10) < BUILT_IN_SINCE) return import('@photostructure/sqlite')
  const builtIn: unknown = process.getBuiltinModule('node:sqlite')
  return isLibrary(builtIn) ? builtIn : import('@photostructure/sqlite')
}

function isLibrary(module: unknown): module is SqliteLibrary {
  return typeof module === 'object' && module !== null && 'DatabaseSync' in module
}
