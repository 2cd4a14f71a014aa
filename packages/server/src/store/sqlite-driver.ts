import { open, realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setImmediate } from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import { createFlush, type Flush } from './flush.ts'
import { type Checkpoints, createCheckpoints } from './sqlite-checkpoints.ts'
import { loadSqlite, type SqliteDatabase, type SqliteStatement, type SqliteValue } from './sqlite-library.ts'
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
/** Rows written after which the log is moved into the file: some thousands of pages. */
const CHECKPOINT_AFTER = 2000
/** Pages after which SQLite does so itself, and holds up everything: where other processes write too, or the thread fails. */
const LONGEST_LOG = 32_000

/**
 * One connection to one file, shared by everything in the process.
 *
 * Writes outside a transaction share one commit with those that arrive while turns of the event loop bring more: each keeps its own
 * failure, and a commit that fails or is in doubt fails them all. A commit only writes to the log; the disk is waited for beside the event
 * loop, and commits that end meanwhile share the next wait. Every write, and every transaction, resolves only after that.
 *
 * Reads run at once, never inside a transaction that is not theirs. They see what is committed, though the disk may not have it yet:
 * `flushed` is for whoever tells of it for good.
 */
export function sqliteDriver(relative: string): Driver & Pick<Flush, 'flushed'> {
  // The log and the threads open it too, later: whatever the working directory is by then.
  const path = resolve(relative)
  const log = createFlush()
  let checkpoints: Checkpoints | undefined
  let isClosing = false
  let written = 0
  let checkpointing: Promise<void> | undefined
  let database: SqliteDatabase | undefined
  let prepared = new Map<string, SqliteStatement>()
  const waiting: Write[] = []
  let turn: Promise<void> = Promise.resolve()
  let owner: DatabaseConnection | undefined
  let ownersEnd: Promise<void> = Promise.resolve()
  let endOwner = () => {}
  const endTurn = new WeakMap<DatabaseConnection, () => void>()

  return {
    async init() {
      const { DatabaseSync } = await loadSqlite()
      await createForOwner(path)
      // SQLite puts the log beside what a link leads to.
      const file = await realpath(path)
      checkpoints = createCheckpoints(file)
      database = new DatabaseSync(file)
      database.exec('pragma busy_timeout = 20')
      await whenFree(() => opened().exec('pragma journal_mode = wal'))
      // Of a commit the log is flushed by us; of a checkpoint, which moves it into the file, both are by SQLite.
      database.exec('pragma synchronous = normal; pragma foreign_keys = on')
      database.exec(`pragma wal_autocheckpoint = ${LONGEST_LOG}`)
      // Kibibytes of pages that are kept instead of read anew: SQLite's own 2 MB hold but the rows of a few thousand sessions.
      database.exec('pragma cache_size = -32768')
      // The log is there from the first look at a table, and stays for as long as this connection does.
      await whenFree(() => opened().exec('select count(*) from sqlite_master'))
      await log.open(`${file}-wal`)
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
      ownersEnd = new Promise((resolve) => {
        endOwner = resolve
      })
      endTurn.set(connection, release)
    },
    commitTransaction: async (connection) => {
      opened().exec('commit')
      const flushed = log.flushed()
      leave(connection)
      checkpointWhenDue()
      await flushed
    },
    async rollbackTransaction(connection) {
      // A commit that could not be flushed has left already.
      if (connection !== owner) return
      try {
        rollback()
      } finally {
        leave(connection)
      }
    },
    async releaseConnection() {},

    async destroy() {
      isClosing = true
      await checkpointing
      const release = await takeTurn()
      await checkpoints?.stop()
      await log.close()
      database?.close()
      database = undefined
      prepared = new Map()
      for (const write of waiting.splice(0)) write.reject(new StoreError('unavailable', 'closed'))
      release()
    },

    flushed: log.flushed,
  }

  async function execute<R>(connection: DatabaseConnection, query: CompiledQuery): Promise<QueryResult<R>> {
    if (connection === owner) return runInside<R>(query)
    if (isWrite(query)) return new Promise((resolve, reject) => enqueue({ query, resolve, reject }))
    while (owner) await ownersEnd
    return run<R>(query)
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
    let batch: readonly Write[] = []
    try {
      const { done: outcomes, flushed } = await commitBatch(since, () => {
        batch = waiting.splice(0)
        return batch.map((write) => attemptInside(() => run(write.query)))
      })
      checkpointWhenDue()
      await flushed
      batch.forEach((write, index) => {
        const outcome = outcomes[index]
        if (outcome?.ok) write.resolve(outcome.value)
        else write.reject(outcome?.thrown)
      })
    } catch (thrown) {
      const failed = batch.length > 0 ? batch : waiting.splice(0)
      for (const write of failed) write.reject(thrown)
    }
  }

  /** The flush is asked for before the turn goes on: whoever closes the log has the next one. */
  async function commitBatch<T>(since: number, work: () => T): Promise<{ done: T; flushed: Promise<void> }> {
    const release = await takeTurn()
    try {
      await whenFree(() => opened().exec('begin immediate'), since)
      const done = work()
      opened().exec('commit')
      return { done, flushed: log.flushed() }
    } catch (thrown) {
      rollback()
      throw thrown
    } finally {
      release()
    }
  }

  function checkpointWhenDue(): void {
    if (written < CHECKPOINT_AFTER || checkpointing || isClosing || !checkpoints) return
    written = 0
    checkpointing = checkpoint(checkpoints).finally(() => {
      checkpointing = undefined
    })
  }

  /** Most of the log beside other writes; then, while there are none, what they added, so that the log begins anew. */
  async function checkpoint({ run }: Checkpoints): Promise<void> {
    await run()
    const release = await takeTurn()
    try {
      await run()
    } finally {
      release()
    }
  }

  /** What a statement comes to; throws when SQLite took the whole transaction back with it (disk full, I/O error). */
  function attemptInside<T>(work: () => T): ReturnType<typeof attempt<T>> {
    const outcome = attempt(work)
    if (!outcome.ok && !opened().isTransaction) throw outcome.thrown
    return outcome
  }

  /** SQLite may have taken the transaction back by itself (disk full, I/O error): what came after would then be committed alone. */
  function runInside<R>(query: CompiledQuery): QueryResult<R> {
    if (!opened().isTransaction) throw new StoreError('unavailable', 'the transaction was rolled back')
    return run<R>(query)
  }

  function run<R>(query: CompiledQuery): QueryResult<R> {
    const statement = prepare(query.sql)
    const parameters = query.parameters.map(bindable)
    if (returnsRows(query)) {
      const rows = rowsOf<R>(statement.all(...parameters))
      if (isWrite(query)) written += rows.length
      return { rows }
    }
    const { changes } = statement.run(...parameters)
    written += Number(changes)
    return { rows: [], numAffectedRows: BigInt(changes) }
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
    log.refuseAfterFailure()
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
    endOwner()
    endTurn.get(connection)?.()
    endTurn.delete(connection)
  }
}

/**
 * A new file is its owner's alone, and so are the log files that SQLite puts beside it. One that is there must not be opened and closed
 * again: that would end the locks which this process may hold on it.
 */
async function createForOwner(path: string): Promise<void> {
  const created = await open(path, 'ax', 0o600).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code !== 'EEXIST') throw thrown
    return undefined
  })
  await created?.close()
}

interface Write {
  readonly query: CompiledQuery
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

function attempt<T>(
  work: () => T,
): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly thrown: unknown } {
  try {
    return { ok: true, value: work() }
  } catch (thrown) {
    return { ok: false, thrown }
  }
}

function isWrite(query: CompiledQuery): boolean {
  return query.query.kind !== 'SelectQueryNode' && !/^\s*select/i.test(query.sql)
}

function returnsRows(query: CompiledQuery): boolean {
  return !isWrite(query) || /\breturning\b/i.test(query.sql)
}

function bindable(value: unknown): SqliteValue {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value === undefined || value === null) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value
  if (value instanceof Uint8Array) return value
  throw new TypeError('a value that SQLite cannot store')
}

/** The driver's border: a row has the shape that the statement selected. */
function rowsOf<R>(rows: unknown[]): R[] {
  return rows as R[]
}
