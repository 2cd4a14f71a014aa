import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import type { TestDatabase } from '../../../test-support/databases.ts'
import { loadSqlite } from '../src/store/sqlite-library.ts'

type Row = Readonly<Record<string, unknown>>
type Tables = Readonly<Record<string, readonly Row[]>>

/** Every row of every table, read on a connection of its own. */
export async function readTables(database: TestDatabase): Promise<Tables> {
  return connected(database, async (run) => {
    const names = await run(
      isSqlite(database)
        ? "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name"
        : "select tablename as name from pg_tables where schemaname = 'mapae' order by tablename",
    )
    const tables: Record<string, readonly Row[]> = {}
    for (const { name } of names) tables[String(name)] = await run(`select * from ${name}`)
    return tables
  })
}

/** One statement on a connection of its own. */
export async function query(database: TestDatabase, statement: string): Promise<readonly Row[]> {
  return connected(database, (run) => run(statement))
}

/** One statement whose commit waits for `meanwhile`: what reads during that sees the rows as they were. */
export async function queryAround(
  database: TestDatabase,
  statement: string,
  meanwhile: () => Promise<void>,
): Promise<void> {
  await connected(database, async (run) => {
    await run(isSqlite(database) ? 'begin immediate' : 'begin')
    await run(statement)
    await meanwhile()
    await run('commit')
  })
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

type Run = (statement: string) => Promise<readonly Row[]>

async function connected<T>(database: TestDatabase, work: (run: Run) => Promise<T>): Promise<T> {
  return isSqlite(database) ? onSqlite(database, work) : onPostgres(database, work)
}

async function onSqlite<T>(database: TestDatabase, work: (run: Run) => Promise<T>): Promise<T> {
  const { DatabaseSync } = await loadSqlite()
  const connection = new DatabaseSync(pathOf(database))
  try {
    return await work(async (statement) => connection.prepare(statement).all() as Row[])
  } finally {
    connection.close()
  }
}

async function onPostgres<T>(database: TestDatabase, work: (run: Run) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: database.url, options: '-c search_path=mapae' })
  await client.connect()
  try {
    return await work(async (statement) => (await client.query(statement)).rows)
  } finally {
    await client.end()
  }
}
