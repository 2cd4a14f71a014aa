import { Worker } from 'node:worker_threads'
import { sqliteModule } from './sqlite-library.ts'

/** Moves what the write-ahead log holds into the database file: tens of milliseconds, and as many again for the disk. */
export interface Checkpoints {
  /** One checkpoint, on a thread and a connection of its own; it waits for nobody and nobody for it. Never rejects: the next one does what this one could not. */
  run(): Promise<void>
  stop(): Promise<void>
}

/** A text, and not a file, so that it runs as it is from the source, when built, and out of a bundle. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const { DatabaseSync } = require(workerData.module)
const database = new DatabaseSync(workerData.path)
database.exec('select count(*) from sqlite_master')
parentPort.on('message', (what) => {
  if (what === 'stop') {
    database.close()
    return parentPort.close()
  }
  try {
    database.exec('pragma wal_checkpoint(passive)')
  } finally {
    parentPort.postMessage('done')
  }
})
`

/** The thread is started by the first checkpoint, and keeps no process alive. */
export function createCheckpoints(path: string): Checkpoints {
  let thread: Worker | undefined
  return {
    async run() {
      try {
        thread ??= start(path, () => {
          thread = undefined
        })
      } catch {
        return // No thread to be had now: SQLite does it itself when the log is long.
      }
      await answerOf(thread, 'checkpoint')
    },
    async stop() {
      if (!thread) return
      thread.ref()
      await answerOf(thread, 'stop')
    },
  }
}

function start(path: string, ended: () => void): Worker {
  const thread = new Worker(PROGRAM, {
    eval: true,
    execArgv: [],
    workerData: { path, module: sqliteModule() },
  })
  // It ends with what it threw, and the next checkpoint starts another one.
  thread.on('error', () => {})
  thread.on('exit', ended)
  thread.unref()
  return thread
}

function answerOf(thread: Worker, what: 'checkpoint' | 'stop'): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      thread.off('message', done)
      thread.off('exit', done)
      resolve()
    }
    thread.on('message', done)
    thread.on('exit', done)
    thread.postMessage(what)
  })
}
