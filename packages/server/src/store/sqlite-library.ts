/** What Mapae uses of an SQLite library: the shape of `node:sqlite`. */
export interface SqliteDatabase {
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
}

export interface SqliteStatement {
  all(...parameters: SqliteValue[]): unknown[]
  run(...parameters: SqliteValue[]): { changes: number | bigint }
}

export type SqliteValue = string | number | bigint | null | Uint8Array

interface SqliteLibrary {
  DatabaseSync: new (path: string) => SqliteDatabase
}

/** `node:sqlite` where Node has it, else a package with the same interface (Node 20). */
export async function loadSqlite(): Promise<SqliteLibrary> {
  const builtIn: string = 'node:sqlite'
  try {
    return await import(builtIn)
  } catch {
    return await import('@photostructure/sqlite')
  }
}
