import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { Options } from '@node-rs/argon2'

/**
 * argon2id on threads of its own, which on Linux give way to the event loop: in a flood of logins everybody else is served as if there
 * were none. (On Node's own thread pool, hashing would have the same priority as the loop, and hold up what else works there.)
 *
 * There are as many threads as were ever busy at once; who asks bounds that. They keep the process alive only while they work.
 */
export function hashOnThread(password: string, cost: Options): Promise<string> {
  return onThread(
    { work: 'hash', password, cost },
    (outcome): outcome is string => typeof outcome === 'string',
  )
}

/** Whether the password belongs to an argon2 hash in the PHC string format. */
export function verifyOnThread(text: string, password: string): Promise<boolean> {
  return onThread(
    { work: 'verify', text, password },
    (outcome): outcome is boolean => typeof outcome === 'boolean',
  )
}

type Task =
  | { readonly work: 'hash'; readonly password: string; readonly cost: Options }
  | { readonly work: 'verify'; readonly text: string; readonly password: string }

/** By so much the threads are nicer than the loop, which then gets nine tenths of a core that both want. Elsewhere it would be all of the process. */
const NICE = 10

/** A text, and not a file, so that it runs as it is from the source, when built, and out of a bundle. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const os = require('node:os')
if (process.platform === 'linux') os.setPriority(Math.min(19, os.getPriority() + workerData.nice))
const { hashSync, verifySync } = require(workerData.argon2)
parentPort.on('message', ({ work, text, password, cost }) => {
  try {
    parentPort.postMessage({ outcome: work === 'hash' ? hashSync(password, cost) : verifySync(text, password) })
  } catch (error) {
    parentPort.postMessage({ problem: String(error) })
  }
})
`

const idle: Worker[] = []

async function onThread<Outcome>(
  task: Task,
  isOutcome: (value: unknown) => value is Outcome,
): Promise<Outcome> {
  const thread = idle.pop() ?? startThread()
  thread.ref()
  const { outcome, problem } = await answerOf(thread, task)
  thread.unref()
  idle.push(thread)
  if (isOutcome(outcome)) return outcome
  throw new Error(`argon2 failed: ${String(problem)}`)
}

function startThread(): Worker {
  const argon2 = createRequire(import.meta.url).resolve('@node-rs/argon2')
  // Flags of the process, such as loaders and coverage, are none of its business.
  return new Worker(PROGRAM, { eval: true, execArgv: [], workerData: { argon2, nice: NICE } })
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
