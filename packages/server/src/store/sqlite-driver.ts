import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import { loadSqlite, type SqliteDatabase, type SqliteStatement, type SqliteValue } from './sqlite-library.ts'
import { createSqliteWriter, type WriteOutcome, type WriteStatement, type Written } from './sqlite-writer.ts'
import { StoreError } from './store-error.ts'

const SQLITE_BUSY = 5
/** An extended code, such as that of another process recovering the log, has its primary code in the low byte. */
const PRIMARY_CODE = 0xff
const BUSY_PATIENCE = 2000
const BUSY_PAUSE = 10
const STATEMENTS_KEPT = 500
/** Writes that go into one commit at most, and how long, in milliseconds, the first of them waits for others. */
const BATCH = 64
const GATHERING = 2
/** Commits in a second from which on they are made on a thread: at lower rates they hold up next to nobody. */
const MANY = 32
/** In every connection; the cache in kibibytes of pages that are kept instead of read anew: SQLite's own 2 MB hold but the rows of a few thousand sessions. */
const SETTINGS =
  'pragma synchronous = full; pragma foreign_keys = on; pragma wal_autocheckpoint = 8000; pragma cache_size = -32768'

/**
 * One connection to one file, shared by everything in the process, and a second one on a thread that commits while there is much
 * to commit.
 *
 * Writes outside a transaction share one commit, and so one fsync, with those that arrive while turns of the event
 * loop bring more: each resolves only after the commit that holds it, each keeps its own failure, and a commit that
 * fails or is in doubt fails them all. Reads run at once, never inside a transaction that is not theirs.
 */
export function sqliteDriver(path: string): Driver {
  let database: SqliteDatabase | undefined
  let prepared = new Map<string, SqliteStatement>()
  const waiting: Write[] = []
  let turn: Promise<void> = Promise.resolve()
  let owner: DatabaseConnection | undefined
  const endTurn = new WeakMap<DatabaseConnection, () => void>()
  const writer = createSqliteWriter({ path, settings: `pragma busy_timeout = ${BUSY_PATIENCE}; ${SETTINGS}` })
  const isMuch = createRush(MANY)

  return {
    async init() {
      const { DatabaseSync } = await loadSqlite()
      // A new file is its owner's alone, and so are the log files that SQLite puts beside it.
      await (await open(path, 'a', 0o600)).close()
      database = new DatabaseSync(path)
      database.exec('pragma busy_timeout = 20')
      await whenFree(() => opened().exec('pragma journal_mode = wal'))
      database.exec(SETTINGS)
    },

    async acquireConnection() {
      const connection: DatabaseConnection = {
        executeQuery: <R>(query: CompiledQuery) => execute<R>(connection, query),
        streamQuery() {
          throw new Error('streaming is not used with SQLite')
        },
      }
      return connection
    },

    async beginTransaction(connection) {
      const since = performance.now()
      const release = await takeTurn()
      try {
        await whenFree(() => opened().exec('begin immediate'), since)
      } catch (thrown) {
        release()
        throw thrown
      }
      owner = connection
      endTurn.set(connection, release)
    },
    commitTransaction: async (connection) => {
      opened().exec('commit')
      leave(connection)
    },
    async rollbackTransaction(connection) {
      try {
        rollback()
      } finally {
        leave(connection)
      }
    },
    async releaseConnection() {},

    async destroy() {
      const release = await takeTurn()
      await writer.close()
      database?.close()
      database = undefined
      prepared = new Map()
      for (const write of waiting.splice(0)) write.reject(new StoreError('unavailable', 'closed'))
      release()
    },
  }

  async function execute<R>(connection: DatabaseConnection, query: CompiledQuery): Promise<QueryResult<R>> {
    if (connection === owner) return resultOf<R>(run(statementOf(query)))
    const statement = statementOf(query)
    if (isWrite(query)) return new Promise((resolve, reject) => enqueue({ statement, resolve, reject }))
    while (owner) await turn
    return resultOf<R>(run(statement))
  }

  function enqueue(write: Write): void {
    waiting.push(write)
    if (waiting.length === 1) gather(performance.now())
  }

  /** A commit costs as much for one write as for many, so it waits for a turn of the event loop that brings no more. */
  function gather(since: number, seen = 0): void {
    setImmediate(() => {
      const isGrowing = waiting.length > seen && waiting.length < BATCH
      if (isGrowing && performance.now() - since < GATHERING) gather(since, waiting.length)
      else void commitWaiting(since)
    })
  }

  async function commitWaiting(since: number): Promise<void> {
    const release = await takeTurn()
    const batch = waiting.splice(0)
    const statements = batch.map(({ statement }) => statement)
    try {
      const outcomes = await (isMuch() ? writer.commit(statements) : commitHere(statements, since))
      batch.forEach((write, index) => {
        const outcome = outcomes[index]
        if (outcome === undefined || 'thrown' in outcome) write.reject(outcome?.thrown)
        else write.resolve(resultOf(outcome))
      })
    } catch (thrown) {
      for (const write of batch) write.reject(thrown)
    } finally {
      release()
    }
  }

  async function commitHere(
    statements: readonly WriteStatement[],
    since: number,
  ): Promise<readonly WriteOutcome[]> {
    try {
      await whenFree(() => opened().exec('begin immediate'), since)
      const outcomes = statements.map((statement) => attemptInside(() => run(statement)))
      opened().exec('commit')
      return outcomes
    } catch (thrown) {
      rollback()
      throw thrown
    }
  }

  /** What a statement comes to; throws when SQLite took the whole transaction back with it (disk full, I/O error). */
  function attemptInside(work: () => WriteOutcome): WriteOutcome {
    try {
      return work()
    } catch (thrown) {
      if (!opened().isTransaction) throw thrown
      return { thrown }
    }
  }

  function run({ sql, parameters, returnsRows }: WriteStatement): Written {
    const statement = prepare(sql)
    return returnsRows
      ? { rows: statement.all(...parameters), changes: 0 }
      : { rows: [], changes: statement.run(...parameters).changes }
  }

  function prepare(sql: string): SqliteStatement {
    const known = prepared.get(sql)
    if (known) return known
    if (prepared.size >= STATEMENTS_KEPT) prepared.clear()
    const statement = opened().prepare(sql)
    prepared.set(sql, statement)
    return statement
  }

  function opened(): SqliteDatabase {
    if (!database) throw new StoreError('unavailable', 'the database is closed')
    return database
  }

  function rollback(): void {
    try {
      database?.exec('rollback')
    } catch {
      // SQLite had rolled back by itself (disk full, I/O error): nothing is open any more.
    }
  }

  async function takeTurn(): Promise<() => void> {
    const before = turn
    let end = () => {}
    turn = new Promise((resolve) => {
      end = resolve
    })
    await before
    return end
  }

  function leave(connection: DatabaseConnection): void {
    owner = undefined
    endTurn.get(connection)?.()
    endTurn.delete(connection)
  }
}

interface Write {
  readonly statement: WriteStatement
  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature is generic in the row.
  readonly resolve: (result: QueryResult<any>) => void
  readonly reject: (reason: unknown) => void
}

/** Waits, without holding up the event loop, while another process holds the write lock; the patience counts from `since`. */
async function whenFree(work: () => void, since: number = performance.now()): Promise<void> {
  for (;;) {
    try {
      work()
      return
    } catch (thrown) {
      if (!isBusy(thrown) || performance.now() - since > BUSY_PATIENCE) throw thrown
      await sleep(BUSY_PAUSE)
    }
  }
}

function isBusy(thrown: unknown): boolean {
  const code: unknown = thrown instanceof Error ? Reflect.get(thrown, 'errcode') : undefined
  return typeof code === 'number' && (code & PRIMARY_CODE) === SQLITE_BUSY
}

function isWrite(query: CompiledQuery): boolean {
  return query.query.kind !== 'SelectQueryNode' && !/^\s*select/i.test(query.sql)
}

function statementOf(query: CompiledQuery): WriteStatement {
  const returnsRows = !isWrite(query) || /\breturning\b/i.test(query.sql)
  return { sql: query.sql, parameters: query.parameters.map(bindable), returnsRows }
}

function bindable(value: unknown): SqliteValue {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value === undefined || value === null) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value
  if (value instanceof Uint8Array) return value
  throw new TypeError('a value that SQLite cannot store')
}

/** The driver's border: a row has the shape that the statement selected. */
function resultOf<R>({ rows, changes }: Written): QueryResult<R> {
  return rows.length === 0 ? { rows: [], numAffectedRows: BigInt(changes) } : { rows: rows as R[] }
}

/** Tells, each time it is asked, whether it was asked so many times within the last second. */
function createRush(many: number): () => boolean {
  const times: number[] = []
  return () => {
    const now = performance.now()
    times.push(now)
    return times.length > many && now - (times.shift() ?? now) < 1000
  }
}
