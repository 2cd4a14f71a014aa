import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { type SqliteValue, sqliteLibraryName } from './sqlite-library.ts'
import { StoreError } from './store-error.ts'

/** A statement that writes, as SQLite takes it. */
export interface WriteStatement {
  readonly sql: string
  readonly parameters: readonly SqliteValue[]
  readonly returnsRows: boolean
}

/** Its rows, or how many it changed. */
export interface Written {
  readonly rows: unknown[]
  readonly changes: number | bigint
}

/** What it came to, or its own failure. */
export type WriteOutcome = Written | { readonly thrown: unknown }

/** Commits on a thread, over a connection of its own, so that the event loop does not stand still while the disk is waited for. */
export interface SqliteWriter {
  /**
   * All statements in one transaction; resolves once it is on the disk. Rejects when the whole came to nothing, or when its fate is
   * not known because the thread ended. One call at a time, and nobody else of this process may write meanwhile.
   */
  commit(statements: readonly WriteStatement[]): Promise<readonly WriteOutcome[]>
  /** Lets go of the file. */
  close(): Promise<void>
}

/** A text, and not a file, so that it runs as it is from the source, when built, and out of a bundle. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const { DatabaseSync } = require(workerData.library)
const database = new DatabaseSync(workerData.path)
database.exec(workerData.settings)
const prepared = new Map()
const prepare = (sql) => {
  const known = prepared.get(sql)
  if (known) return known
  if (prepared.size >= 500) prepared.clear()
  const statement = database.prepare(sql)
  prepared.set(sql, statement)
  return statement
}
const run = ({ sql, parameters, returnsRows }) => {
  const statement = prepare(sql)
  return returnsRows
    ? { rows: statement.all(...parameters), changes: 0 }
    : { rows: [], changes: statement.run(...parameters).changes }
}
const problemOf = ({ message, code, errcode }) => ({ message, code, errcode })
const attempt = (statement) => {
  try {
    return run(statement)
  } catch (error) {
    // SQLite took the whole transaction back with it (disk full, I/O error).
    if (!database.isTransaction) throw error
    return { problem: problemOf(error) }
  }
}
const commit = (statements) => {
  try {
    database.exec('begin immediate')
    const outcomes = statements.map(attempt)
    database.exec('commit')
    return { outcomes }
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    return { problem: problemOf(error) }
  }
}
parentPort.on('message', (statements) => {
  if (statements) return parentPort.postMessage(commit(statements))
  database.close()
  parentPort.close()
})
`

/** `settings`: what the connection is told first. The thread starts with the first commit, and keeps no process alive that is done. */
export function createSqliteWriter({ path, settings }: { path: string; settings: string }): SqliteWriter {
  let thread: Worker | undefined
  return {
    async commit(statements) {
      thread ??= startThread({ path, settings })
      const answer = await answerOf(thread, statements).catch((thrown: unknown) => {
        thread = undefined
        throw new StoreError('unavailable', thrown)
      })
      if (answer.problem !== undefined) throw errorOf(answer.problem)
      return answer.outcomes.map((outcome) =>
        'problem' in outcome ? { thrown: errorOf(outcome.problem) } : outcome,
      )
    },
    async close() {
      const closing = thread
      thread = undefined
      if (!closing) return
      const ended = new Promise<void>((resolve) => closing.once('exit', () => resolve()))
      closing.ref()
      closing.postMessage(undefined)
      await ended
    },
  }
}

function startThread(workerData: { path: string; settings: string }): Worker {
  const library = createRequire(import.meta.url).resolve(sqliteLibraryName())
  // Flags of the process, such as loaders and coverage, are none of its business.
  const thread = new Worker(PROGRAM, { eval: true, execArgv: [], workerData: { ...workerData, library } })
  // A failure between two commits is met by the next one.
  thread.on('error', () => {})
  thread.unref()
  return thread
}

/** The thread's answer. Rejects when it ends instead: it is not used again. */
function answerOf(thread: Worker, statements: readonly WriteStatement[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = (why: unknown) => {
      reject(why instanceof Error ? why : new Error('the thread that commits has ended'))
    }
    thread.ref()
    thread.once('error', ended)
    thread.once('exit', ended)
    thread.once('message', (answer: Answer) => {
      thread.off('error', ended)
      thread.off('exit', ended)
      thread.unref()
      resolve(answer)
    })
    thread.postMessage(statements)
  })
}

/** What the program above answers. */
type Answer =
  | { readonly problem: Problem }
  | {
      readonly problem?: undefined
      readonly outcomes: readonly (Written | { readonly problem: Problem })[]
    }

interface Problem {
  readonly message: string
  readonly code?: unknown
  readonly errcode?: unknown
}

function errorOf({ message, ...marks }: Problem): Error {
  return Object.assign(new Error(message), marks)
}
