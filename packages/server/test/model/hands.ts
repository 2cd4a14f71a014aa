import { copyFile } from 'node:fs/promises'
import pg from 'pg'
import type { TestDatabase } from '../../../../test-support/databases.ts'
import { loadSqlite, type SqliteDatabase } from '../../src/store/sqlite-library.ts'
import { isSqlite, pathOf } from '../read-database.ts'

/** The hands of an operator on the database: a connection of its own, and backups. */
export interface Hands {
  run(statement: string): Promise<readonly StoredRow[]>
  /** Copies what the database holds: all of it (SQLite), or the rows of these sessions (PostgreSQL). */
  backUp(sids: readonly string[]): Promise<Backup>
  /** Puts a copy back, and says where the database is now: SQLite's has a new file, for which servers must start anew. */
  restore(backup: Backup): Promise<string>
  close(): Promise<void>
}

export type StoredRow = Readonly<Record<string, unknown>>
export type Backup = { readonly file: string } | { readonly rows: readonly StoredRow[] }

export function openHands(database: TestDatabase): Hands {
  return isSqlite(database) ? onSqlite(database) : onPostgres(database.url)
}

function onSqlite(database: TestDatabase): Hands {
  const original = pathOf(database)
  let path = original
  let copies = 0
  let opened: Promise<SqliteDatabase> | undefined
  const connection = () => {
    opened ??= loadSqlite().then(({ DatabaseSync }) => new DatabaseSync(path))
    return opened
  }
  const close = async () => {
    if (opened) (await opened).close()
    opened = undefined
  }
  return {
    run: async (statement) => (await connection()).prepare(statement).all() as StoredRow[],
    async backUp() {
      const file = `${original}-${++copies}`
      ;(await connection()).exec(`vacuum into '${file}'`)
      return { file }
    },
    async restore(backup) {
      if (!('file' in backup)) throw new Error('SQLite is backed up as a file')
      await close()
      path = `${original}-${++copies}`
      await copyFile(backup.file, path)
      return `sqlite:${path}`
    },
    close,
  }
}

function onPostgres(url: string): Hands {
  let opened: Promise<pg.Client> | undefined
  const connection = () => {
    opened ??= connect(url)
    return opened
  }
  const run = async (statement: string, values: readonly unknown[] = []): Promise<readonly StoredRow[]> =>
    (await (await connection()).query(statement, [...values])).rows
  return {
    run,
    backUp: async (sids) => ({ rows: await run('select * from sessions where id = any($1)', [sids]) }),
    async restore(backup) {
      if (!('rows' in backup)) throw new Error('PostgreSQL is backed up as rows')
      for (const row of backup.rows) {
        const columns = Object.keys(row).filter((column) => column !== 'id')
        const set = columns.map((column, index) => `${column} = $${index + 2}`).join(', ')
        const values = columns.map((column) => row[column])
        await run(`update sessions set ${set} where id = $1`, [row['id'], ...values])
      }
      return url
    },
    close: async () => (await opened)?.end(),
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=mapae' })
  await client.connect()
  return client
}
