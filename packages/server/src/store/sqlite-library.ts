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
  return builtInSqlite() ?? import('@photostructure/sqlite')
}

/** What `require` gets the same library by. */
export function sqliteLibraryName(): string {
  return builtInSqlite() ? 'node:sqlite' : '@photostructure/sqlite'
}

function builtInSqlite(): SqliteLibrary | undefined {
  if (Number.parseInt(process.versions.node, 10) < BUILT_IN_SINCE) return undefined
  const builtIn: unknown = process.getBuiltinModule('node:sqlite')
  return isLibrary(builtIn) ? builtIn : undefined
}

function isLibrary(module: unknown): module is SqliteLibrary {
  return typeof module === 'object' && module !== null && 'DatabaseSync' in module
}
