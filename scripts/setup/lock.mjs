import { mkdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { root } from './root.mjs'

const folder = join(root, '.setup')
const lock = join(folder, 'lock')
const heartbeatMs = 500
const staleMs = 5_000

/**
 * Runs `work` while no other process of this checkout does: two terminals may be set up at once. A holder shows that it
 * is alive by touching the lock; a lock that nobody has touched for five seconds belongs to a killed process.
 * @param {() => Promise<void>} work
 */
export async function withLock(work) {
  await acquire()
  const heartbeat = setInterval(touch, heartbeatMs)
  process.on('exit', release)
  try {
    await work()
  } finally {
    clearInterval(heartbeat)
    process.off('exit', release)
    release()
  }
}

/** After a sleep of the machine the lock may have gone to another process: then there is nothing to touch. */
function touch() {
  try {
    utimesSync(lock, new Date(), new Date())
  } catch (error) {
    if (!isError(error, 'ENOENT')) throw error
  }
}

async function acquire() {
  mkdirSync(folder, { recursive: true })
  let told = false
  while (!tryAcquire()) {
    if (!told) console.error('· waiting for another set-up of this checkout …')
    told = true
    removeStaleLock()
    await setTimeout(100)
  }
}

function tryAcquire() {
  try {
    mkdirSync(lock)
    return true
  } catch (error) {
    if (isError(error, 'EEXIST')) return false
    throw error
  }
}

function removeStaleLock() {
  try {
    if (Date.now() - statSync(lock).mtimeMs < staleMs) return
    const grave = `${lock}-${process.pid}`
    renameSync(lock, grave) // of several waiting processes one succeeds
    rmSync(grave, { recursive: true })
  } catch (error) {
    if (!isError(error, 'ENOENT')) throw error
  }
}

function release() {
  rmSync(lock, { recursive: true, force: true })
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function isError(error, code) {
  return error instanceof Error && 'code' in error && error.code === code
}
