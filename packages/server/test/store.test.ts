import { copyFile, stat, symlink, writeFile } from 'node:fs/promises'
import { sql } from 'kysely'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { databases, type TestDatabase } from '../../../test-support/databases.ts'
import { migrate, pendingMigrations } from '../src/store/migrate.ts'
import { migrations } from '../src/store/migrations.ts'
import {
  inTransaction,
  openStore,
  parseDatabaseAddress,
  type Store,
  type Tx,
} from '../src/store/open-store.ts'
import { insertRevocations } from '../src/store/revocations.ts'
import { type Rotation, rotateSession } from '../src/store/sessions.ts'
import { raiseSetting } from '../src/store/settings.ts'
import { loadSqlite } from '../src/store/sqlite-library.ts'
import { StoreError } from '../src/store/store-error.ts'
import { together } from '../src/store/together.ts'
import { pathOf, query } from './read-database.ts'

const open: { store: Store; database: TestDatabase }[] = []
afterEach(async () => {
  for (const { store, database } of open.splice(0)) {
    await store.db.destroy()
    await database.close()
  }
})

describe.each(databases)('the store, on $name', (database) => {
  const start = async () => {
    const opened = await database.open()
    const store = storeAt(opened.url)
    open.push({ store, database: opened })
    await migrate(store)
    return { store, database: opened }
  }
  const storeAt = (url: string) => {
    const address = parseDatabaseAddress(url)
    if (!address) throw new Error(`no database address: ${url}`)
    return openStore(address, 'mapae')
  }
  const insert = (store: Store, key: string) =>
    store.db.insertInto('settings').values({ key, value: 1 }).execute()
  const keys = async (store: Store) =>
    (await store.db.selectFrom('settings').select('key').orderBy('key').execute()).map((row) => row.key)

  test('migrates once, whoever else does so at the same time', async () => {
    const opened = await database.open()
    const stores = Array.from({ length: 5 }, () => storeAt(opened.url))
    const steps = await Promise.all(stores.map((store) => migrate(store)))
    expect(steps.flat()).toEqual(Object.keys(migrations))
    expect(await pendingMigrations(stores[0] as Store)).toEqual([])
    await Promise.all(stores.map((store) => store.db.destroy()))
    await opened.close()
  })

  test('keeps each statement of a shared commit apart: one fails, the others stay', async () => {
    const { store } = await start()
    const outcomes = await Promise.allSettled(['a', 'b', 'a', 'c'].map((key) => insert(store, key)))
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    const failed = outcomes[2]
    expect(failed?.status === 'rejected' && failed.reason).toMatchObject({
      name: 'StoreError',
      code: 'duplicate',
    })
    expect(await keys(store)).toEqual(['a', 'b', 'c'])
  })

  test('undoes a transaction that fails, and nothing else', async () => {
    const { store } = await start()
    const failing = inTransaction(store, async (db) => {
      await db.insertInto('settings').values({ key: 'inside', value: 1 }).execute()
      await db.insertInto('settings').values({ key: 'inside', value: 1 }).execute()
    })
    const beside = insert(store, 'beside')
    await expect(failing).rejects.toMatchObject({ code: 'duplicate' })
    await beside
    expect(await keys(store)).toEqual(['beside'])
  })

  test('never shows what a transaction under way has written', async () => {
    const { store } = await start()
    let seen: string[] | undefined
    const reading = inTransaction(store, async (db) => {
      await db.insertInto('settings').values({ key: 'unfinished', value: 1 }).execute()
      const read = database.name === 'postgres' ? keys(store) : undefined
      if (read) seen = await read
      throw new Error('undone')
    })
    const read = keys(store)
    await expect(reading).rejects.toThrow('undone')
    expect(await read).toEqual([])
    expect(seen ?? []).toEqual([])
  })

  test('lets many transactions and single writes through side by side', async () => {
    const { store } = await start()
    await raiseSetting(store.db, 'counter', 0)
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        index % 2
          ? insert(store, `single-${index}`)
          : inTransaction(store, async (db) => {
              await sql`update settings set value = value + 1 where key = 'counter'`.execute(db)
            }),
      ),
    )
    const counter = await store.db
      .selectFrom('settings')
      .select('value')
      .where('key', '=', 'counter')
      .executeTakeFirst()
    expect(counter?.value).toBe(50)
    expect(await keys(store)).toHaveLength(51)
  })

  test('numbers revocations in the order of their commits', async () => {
    const { store, database: opened } = await start()
    const other = storeAt(opened.url)
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        inTransaction(index % 2 ? store : other, (db) =>
          insertRevocations(store, db, [{ keyHash: `k${index}`, epoch: null, kid: null, expiresAt: 1 }]),
        ),
      ),
    )
    const rows = await store.db.selectFrom('revocations').select('seq').orderBy('seq').execute()
    expect(rows.map((row) => row.seq)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
    await other.db.destroy()
  })

  test('gives numbers as numbers', async () => {
    const { store } = await start()
    expect(await raiseSetting(store.db, 'greatest', 1_790_000_000_000)).toBe(1_790_000_000_000)
    expect(await raiseSetting(store.db, 'greatest', 5)).toBe(1_790_000_000_000)
  })

  test('answers a statement after it was closed with unavailable', async () => {
    const { store } = await start()
    await store.db.destroy()
    await expect(insert(store, 'late')).rejects.toThrow()
  })
})

describe('the store on SQLite', () => {
  const startSqlite = async () => {
    const [sqlite] = databases
    const database = await sqlite?.open()
    if (!database) throw new Error('SQLite comes first')
    const store = openStore({ kind: 'sqlite', path: pathOf(database) }, 'mapae')
    open.push({ store, database })
    await migrate(store)
    return { store, database }
  }

  test('says unavailable while another process holds the lock for long, and waits while it is short', async () => {
    const { store, database } = await startSqlite()

    const { DatabaseSync } = await loadSqlite()
    const other = new DatabaseSync(pathOf(database))
    other.exec('begin immediate')
    const short = store.db.insertInto('settings').values({ key: 'short', value: 1 }).execute()
    setTimeout(() => other.exec('commit'), 100)
    await short

    other.exec('begin immediate')
    const long = store.db.insertInto('settings').values({ key: 'long', value: 1 }).execute()
    await expect(long).rejects.toBeInstanceOf(StoreError)
    await expect(long).rejects.toMatchObject({ code: 'unavailable' })
    expect(await store.db.selectFrom('settings').select('key').execute()).toEqual([{ key: 'short' }])
    other.exec('commit')
    await store.db.insertInto('settings').values({ key: 'again', value: 1 }).execute()
    other.close()
  })

  test('fails a shared commit as a whole when SQLite takes it back with one statement', async () => {
    const { store } = await startSqlite()
    const insert = (key: string) => store.db.insertInto('settings').values({ key, value: 1 }).execute()
    await insert('there')
    const ending = sql`insert or rollback into settings (key, value) values ('there', 2)`.execute(store.db)
    const outcomes = await Promise.allSettled([insert('before'), ending, insert('after')])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    await insert('later')
    const keys = await store.db.selectFrom('settings').select('key').orderBy('key').execute()
    expect(keys.map(({ key }) => key)).toEqual(['later', 'there'])
  })

  test('has a write-ahead log, which every commit is flushed to by the driver (flush.test.ts) and every checkpoint by SQLite', async () => {
    const { store, database } = await startSqlite()
    const read = async (pragma: string) =>
      (await sql`select * from ${sql.raw(pragma)}`.execute(store.db)).rows[0]
    expect(await read('pragma_journal_mode')).toEqual({ journal_mode: 'wal' })
    expect(await read('pragma_synchronous')).toEqual({ synchronous: 1 })
    expect(await read('pragma_foreign_keys')).toEqual({ foreign_keys: 1 })
    expect(await query(database, 'select count(*) as n from migrations')).toEqual([
      { n: Object.keys(migrations).length },
    ])
  })

  test('carries out nothing more of a transaction that SQLite has taken back by itself', async () => {
    const { store } = await startSqlite()
    await sql`create table big (filling text)`.execute(store.db)
    const { rows } = await sql<{
      pages: number
    }>`select page_count as pages from pragma_page_count()`.execute(store.db)
    await sql`pragma max_page_count = ${sql.lit(Number(rows[0]?.pages))}`.execute(store.db)
    const work = inTransaction(store, (db) =>
      together(db, (send) =>
        Promise.all([
          send(sql`insert into big values (${'x'.repeat(100_000)})`.compile(db)),
          send(sql`insert into settings (key, value) values ('after', 1)`.compile(db)),
        ]),
      ),
    )
    await expect(work).rejects.toMatchObject({ code: 'unavailable' })
    expect(await store.db.selectFrom('settings').selectAll().execute()).toEqual([])
  })

  test('serves a file that a link leads to', async () => {
    const [sqlite] = databases
    const database = await sqlite?.open()
    if (!database) throw new Error('SQLite comes first')
    await writeFile(pathOf(database), '')
    const link = `${pathOf(database)}-link`
    await symlink(pathOf(database), link)
    const store = openStore({ kind: 'sqlite', path: link }, 'mapae')
    open.push({ store, database })
    await migrate(store)
    expect(await raiseSetting(store.db, 'n', 1)).toBe(1)
  })

  test('is closed between a commit and its flush, and neither loses nor denies it', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const { store, database } = await startSqlite()
      const work = inTransaction(store, (db) =>
        db.insertInto('settings').values({ key: 'n', value: 1 }).execute(),
      ).then(
        () => 1,
        () => 0,
      )
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
      await store.close()
      const told = await work
      expect(await query(database, 'select count(*) as n from settings')).toEqual([{ n: told }])
    }
  })

  test('is for its owner alone to read, with the log beside it', async () => {
    const { database } = await startSqlite()
    for (const path of [pathOf(database), `${pathOf(database)}-wal`])
      expect((await stat(path)).mode & 0o777, path).toBe(0o600)
  })

  test('moves its write-ahead log into the file by itself, after some thousands of writes', async () => {
    const { store, database } = await startSqlite()
    await raiseSetting(store.db, 'n', 0)
    const raise = () => sql`update settings set value = value + 1 where key = 'n'`.execute(store.db)
    await Promise.all(Array.from({ length: 2500 }, raise))
    const copy = `${pathOf(database)}-alone`
    await vi.waitUntil(async () => (await valueInFile(pathOf(database), copy)) > 2000, { timeout: 30_000 })
    await Promise.all(Array.from({ length: 2500 }, raise))
    const row = await store.db
      .selectFrom('settings')
      .select('value')
      .where('key', '=', 'n')
      .executeTakeFirst()
    expect(row?.value).toBe(5000)
  })

  test('keeps its write-ahead log bounded', async () => {
    const { store, database } = await startSqlite()
    await raiseSetting(store.db, 'n', 0)
    await sql`pragma wal_autocheckpoint = 100`.execute(store.db)
    for (let round = 0; round < 600; round++) {
      await sql`update settings set value = value + 1 where key = 'n' returning value`.execute(store.db)
    }
    const { size } = await stat(`${pathOf(database)}-wal`)
    expect(size).toBeLessThan(200 * 4096 * 2)
  })
})

describe('the store on PostgreSQL', () => {
  const [, postgres] = databases
  if (postgres?.name !== 'postgres') throw new Error('PostgreSQL comes second')
  const start = async (parameters = '') => {
    const database = await postgres.open()
    const store = openStore({ kind: 'postgres', url: database.url + parameters }, 'mapae')
    open.push({ store, database })
    await migrate(store)
    return { store, database }
  }

  test('keeps to its schema, also when the address brings options of its own', async () => {
    const { store, database } = await start('?application_name=app&options=-c%20work_mem%3D8MB')
    expect((await sql`show work_mem`.execute(store.db)).rows).toEqual([{ work_mem: '8MB' }])
    expect((await sql`show application_name`.execute(store.db)).rows).toEqual([{ application_name: 'app' }])
    const tables = "select schemaname from pg_tables where tablename = 'accounts'"
    expect(await query(database, tables)).toEqual([{ schemaname: 'mapae' }])
  })

  test('has PostgreSQL give a statement up before Mapae does', async () => {
    const { store } = await start()
    expect((await sql`show statement_timeout`.execute(store.db)).rows).toEqual([{ statement_timeout: '9s' }])
  })

  test('carries out nothing of a transaction whose beginning failed', async () => {
    const { store } = await start()
    await inTransaction(store, (db) => sql`select 1`.execute(db))
    // As a pooler between or an administrator does to a connection that stays.
    await sql`deallocate all`.execute(store.db)
    const insert = (key: string) => (db: Tx) =>
      sql`insert into settings (key, value) values (${key}, 1)`.execute(db)
    for (const key of ['one', 'two', 'three']) {
      const isDone = await inTransaction(store, insert(key)).then(
        () => true,
        () => false,
      )
      const rows = await store.db.selectFrom('settings').selectAll().where('key', '=', key).execute()
      expect(rows.length, key).toBe(isDone ? 1 : 0)
    }
  })

  test('lets go of a connection that has lost its prepared statements', async () => {
    const { store } = await start()
    const insert = (key: string) => store.db.insertInto('settings').values({ key, value: 1 }).execute()
    await insert('one')
    await sql`deallocate all`.execute(store.db)
    await expect(insert('two')).rejects.toMatchObject({ code: 'unavailable' })
    await insert('three')
  })

  test('rotates sessions together, each once, and two rotations of one session one after the other', async () => {
    const { store } = await start()
    const ids = ['c', 'a', 'b']
    await insertSessions(store, ids)
    const rotate = (id: string, from = 1) => rotateSession(store, rotationOf(id, from))
    const first = ids.map((id) => rotate(id))
    const outcomes = await Promise.all([...first, rotate('a'), rotate('a', 2), rotate('nobody')])
    expect(outcomes).toEqual([true, true, true, false, true, false])
    const generations = await store.db
      .selectFrom('sessions')
      .select(['id', 'generation'])
      .orderBy('id')
      .execute()
    expect(generations).toEqual([
      { id: 'a', generation: 3 },
      { id: 'b', generation: 2 },
      { id: 'c', generation: 2 },
    ])
  })

  test('lets many stores rotate the same sessions at once: of racing ones each generation has one winner', async () => {
    const { store, database } = await start()
    const others = [0, 1].map(() => openStore({ kind: 'postgres', url: database.url }, 'mapae'))
    const ids = Array.from({ length: 100 }, (_, n) => `session-${n}`)
    await insertSessions(store, ids)
    const racing = [store, ...others].map((one) =>
      Promise.all(ids.map((id) => rotateSession(one, rotationOf(id, 1)))),
    )
    const won = await Promise.all(racing)
    ids.forEach((id, at) => {
      expect(
        won.filter((outcomes) => outcomes[at]),
        id,
      ).toHaveLength(1)
    })
    for (const one of others) await one.db.destroy()
  })

  test('does not let one rotation that hangs hold up those that come after it', async () => {
    const { store, database } = await start()
    await insertSessions(store, ['a', 'b'])
    const other = openStore({ kind: 'postgres', url: database.url }, 'mapae')
    const order: string[] = []
    let hanging: Promise<unknown> = Promise.resolve()
    await inTransaction(other, async (db) => {
      await sql`update sessions set salt = salt where id = 'a'`.execute(db)
      hanging = rotateSession(store, rotationOf('a', 1)).then(() => order.push('a'))
      await new Promise((resolve) => setTimeout(resolve, 20))
      await rotateSession(store, rotationOf('b', 1)).then(() => order.push('b'))
    })
    await hanging
    expect(order).toEqual(['b', 'a'])
    await other.db.destroy()
  })

  test('fails every rotation of a statement whose fate is not known', async () => {
    const { store } = await start()
    await insertSessions(store, ['a', 'b'])
    await sql`alter table sessions add constraint broken check (generation < 2)`.execute(store.db)
    const outcomes = await Promise.allSettled(['a', 'b'].map((id) => rotateSession(store, rotationOf(id, 1))))
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await sql`alter table sessions drop constraint broken`.execute(store.db)
    expect(await rotateSession(store, rotationOf('a', 1))).toBe(true)
  })

  test('does not do later what it answered with unavailable', async () => {
    const { store, database } = await start('?options=-c%20statement_timeout%3D300')
    await raiseSetting(store.db, 'n', 1)
    const other = openStore({ kind: 'postgres', url: database.url }, 'mapae')
    let unlock = () => {}
    const unlocked = new Promise<void>((resolve) => {
      unlock = resolve
    })
    let holding: Promise<void> = Promise.resolve()
    await new Promise<void>((locked) => {
      holding = inTransaction(other, async (db) => {
        await sql`select value from settings where key = 'n' for update`.execute(db)
        locked()
        await unlocked
      })
    })
    await expect(raiseSetting(store.db, 'n', 2)).rejects.toMatchObject({ code: 'unavailable' })
    unlock()
    await holding
    expect(await raiseSetting(store.db, 'n', 0)).toBe(1)
    await other.db.destroy()
  })
})

/** Sessions of one account at their first generation. */
async function insertSessions({ db }: Store, ids: readonly string[]): Promise<void> {
  const now = 1_790_000_000_000
  const account = { id: 'account', roles: '[]', scopes: '[]', created_at: now, updated_at: now }
  await db.insertInto('accounts').values(account).execute()
  const row = {
    account_id: account.id,
    salt: 'salt',
    generation: 1,
    refresh_hash: 'hash of 1',
    rotated_at: now,
    transport: 'header',
    auth_time: now,
    amr: '[]',
    created_at: now,
    expires_at: now,
    idle_expires_at: now,
  }
  await db
    .insertInto('sessions')
    .values(ids.map((id) => ({ ...row, id })))
    .execute()
}

/** The value of `n` in the file as it is without its log; 0 where that cannot be read, for it is being written. */
async function valueInFile(path: string, copy: string): Promise<number> {
  await copyFile(path, copy)
  const { DatabaseSync } = await loadSqlite()
  const file = new DatabaseSync(copy)
  try {
    const [row] = file.prepare("select value from settings where key = 'n'").all()
    return Number(Object(row).value ?? 0)
  } catch {
    return 0
  } finally {
    file.close()
  }
}

function rotationOf(id: string, from: number): Rotation {
  return {
    id,
    expected: { generation: from, refreshHash: `hash of ${from}` },
    generation: from + 1,
    refreshHash: `hash of ${from + 1}`,
    attemptHash: null,
    previousAttemptHash: null,
    now: 1_790_000_000_000,
    idleExpiresAt: 1_790_000_001_000,
  }
}

describe('a database address', () => {
  test.each([
    ['sqlite:./data/mapae.db', { kind: 'sqlite', path: './data/mapae.db' }],
    ['sqlite:/var/lib/mapae.db', { kind: 'sqlite', path: '/var/lib/mapae.db' }],
    ['sqlite:///var/lib/mapae.db', { kind: 'sqlite', path: '/var/lib/mapae.db' }],
    ['postgres://localhost/app', { kind: 'postgres', url: 'postgres://localhost/app' }],
    ['postgresql://localhost/app', { kind: 'postgres', url: 'postgresql://localhost/app' }],
    ['mysql://localhost/app', undefined],
    ['sqlite::memory:', undefined],
    ['sqlite:', undefined],
    ['', undefined],
  ])('%s', (text, address) => {
    expect(parseDatabaseAddress(text)).toEqual(address)
  })
})
