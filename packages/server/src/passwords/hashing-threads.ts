import type { pbkdf2Sync, scryptSync } from 'node:crypto'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { Options as Argon2Cost } from '@node-rs/argon2'
import type { verifySync as verifyBcrypt } from '@node-rs/bcrypt'

/**
 * Password hashing on threads of its own, which on Linux give way to the event loop: in a flood of logins everybody else is served as if
 * there were none. (On Node's own thread pool, hashing would have the same priority as the loop, and hold up what else waits there, a
 * flush to the disk above all.)
 *
 * There are as many threads as were ever busy at once; who asks bounds that. They keep the process alive only while they work.
 */
export function hashOnThread(password: string, cost: Argon2Cost): Promise<string> {
  return onThread('hashArgon2', [password, cost], (outcome) => typeof outcome === 'string')
}

/** Whether the password belongs to an argon2 hash in the PHC string format. */
export function verifyOnThread(text: string, password: string): Promise<boolean> {
  return onThread('verifyArgon2', [text, password], isBoolean)
}

/** Whether a password belongs to a bcrypt hash. */
export function verifyBcryptOnThread(...args: Parameters<typeof verifyBcrypt>): Promise<boolean> {
  return onThread('verifyBcrypt', args, isBoolean)
}

/** `scrypt` of `node:crypto`. */
export function scryptOnThread(...args: Parameters<typeof scryptSync>): Promise<Uint8Array> {
  return onThread('scrypt', args, (outcome) => outcome instanceof Uint8Array)
}

/** `pbkdf2` of `node:crypto`. */
export function pbkdf2OnThread(...args: Parameters<typeof pbkdf2Sync>): Promise<Uint8Array> {
  return onThread('pbkdf2', args, (outcome) => outcome instanceof Uint8Array)
}

const isBoolean = (outcome: unknown): outcome is boolean => typeof outcome === 'boolean'

interface Task {
  readonly work: 'hashArgon2' | 'verifyArgon2' | 'verifyBcrypt' | 'scrypt' | 'pbkdf2'
  readonly args: readonly unknown[]
}

/** By so much the threads are nicer than the loop, which then gets nine tenths of a core that both want. Elsewhere it would be all of the process. */
const NICE = 10

/** A text, and not a file, so that it runs as it is from the source, when built, and out of a bundle. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const os = require('node:os')
if (process.platform === 'linux') os.setPriority(Math.min(19, os.getPriority() + workerData.nice))
const argon2 = require(workerData.argon2)
const crypto = require('node:crypto')
const works = {
  hashArgon2: argon2.hashSync,
  verifyArgon2: argon2.verifySync,
  verifyBcrypt: (...args) => require(workerData.bcrypt).verifySync(...args),
  scrypt: crypto.scryptSync,
  pbkdf2: crypto.pbkdf2Sync,
}
parentPort.on('message', ({ work, args }) => {
  try {
    parentPort.postMessage({ outcome: works[work](...args) })
  } catch (error) {
    parentPort.postMessage({ problem: String(error) })
  }
})
`

const idle: Worker[] = []

async function onThread<Outcome>(
  work: Task['work'],
  args: Task['args'],
  isOutcome: (value: unknown) => value is Outcome,
): Promise<Outcome> {
  const thread = idle.pop() ?? startThread()
  thread.ref()
  const { outcome, problem } = await answerOf(thread, { work, args })
  thread.unref()
  idle.push(thread)
  if (isOutcome(outcome)) return outcome
  throw new Error(`${work} failed: ${String(problem)}`)
}

function startThread(): Worker {
  const { resolve } = createRequire(import.meta.url)
  const libraries = { argon2: resolve('@node-rs/argon2'), bcrypt: resolve('@node-rs/bcrypt') }
  // Flags of the process, such as loaders and coverage, are none of its business.
  const thread = new Worker(PROGRAM, { eval: true, execArgv: [], workerData: { ...libraries, nice: NICE } })
  // One that ends while nobody waits for it gets no more work.
  thread.on('error', () => {})
  thread.once('exit', () => {
    const at = idle.indexOf(thread)
    if (at !== -1) idle.splice(at, 1)
  })
  return thread
}

/** The answer to the one task that the thread has. Rejects when the thread ends instead: it is not used again. */
function answerOf(thread: Worker, task: Task): Promise<{ outcome?: unknown; problem?: unknown }> {
  return new Promise((resolve, reject) => {
    const ended = (why: unknown) => reject(why instanceof Error ? why : new Error('a hashing thread ended'))
    thread.once('error', ended)
    thread.once('exit', ended)
    thread.once('message', (answer) => {
      thread.off('error', ended)
      thread.off('exit', ended)
      resolve(answer)
    })
    thread.postMessage(task)
  })
}
