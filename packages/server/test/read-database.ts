import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import type { TestDatabase } from '../../../test-support/databases.ts'
import { loadSqlite } from '../src/store/sqlite-library.ts'

type Row = Readonly<Record<string, unknown>>
type Tables = Readonly<Record<string, readonly Row[]>>

/** Every row of every table, read on a connection of its own. */
export async function readTables(database: TestDatabase): Promise<Tables> {
  const names = await query(
    database,
    isSqlite(database)
      ? "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name"
      : "select tablename as name from pg_tables where schemaname = 'mapae' order by tablename",
  )
  const tables: Record<string, readonly Row[]> = {}
  for (const { name } of names) tables[String(name)] = await query(database, `select * from ${name}`)
  return tables
}

/** One statement on a connection of its own. */
export async function query(database: TestDatabase, statement: string): Promise<readonly Row[]> {
  return isSqlite(database) ? querySqlite(database, statement) : queryPostgres(database, statement)
}

/** All that the database holds, as text to look for secrets in: the files themselves, where there are files. */
export async function readEverything(database: TestDatabase): Promise<string> {
  const rows = JSON.stringify(await readTables(database))
  if (!isSqlite(database)) return rows
  const folder = dirname(pathOf(database))
  const files = await Promise.all(
    (await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1')),
  )
  return [rows, ...files].join('\n')
}

/** The file of an SQLite database. */
export function pathOf(database: TestDatabase): string {
  return database.url.replace(/^sqlite:/, '')
}

export function isSqlite(database: TestDatabase): boolean {
  return database.url.startsWith('sqlite:')
}

async function querySqlite(database: TestDatabase, statement: string): Promise<readonly Row[]> {
  const { DatabaseSync } = await loadSqlite()
  const connection = new DatabaseSync(pathOf(database))
  try {
    return connection.prepare(statement).all() as Row[]
  } finally {
    connection.close()
  }
}

async function queryPostgres(database: TestDatabase, statement: string): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: database.url, options: '-c search_path=mapae' })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}
