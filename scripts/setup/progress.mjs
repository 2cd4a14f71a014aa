import { performance } from 'node:perf_hooks'

/**
 * One line for a thing done and the time that it took. On a terminal the line is there while the thing is being done.
 * Standard error, so that what a program prints stays clean.
 * @template T
 * @param {string} doing such as "installing packages"
 * @param {() => Promise<{ done: string, result: T, passed?: boolean }>} work `done` is such as "installed 125 packages"
 * @returns {Promise<T>}
 */
export async function progress(doing, work) {
  const started = performance.now()
  const seconds = () => `(${((performance.now() - started) / 1000).toFixed(1)} s)`
  if (process.stderr.isTTY) process.stderr.write(`· ${doing} …`)
  try {
    const { done, result, passed = true } = await work()
    printOver(`${passed ? '✓' : '✗'} ${done} ${seconds()}`)
    return result
  } catch (error) {
    printOver(`✗ ${doing} ${seconds()}`)
    throw error
  }
}

/** @param {string} line */
function printOver(line) {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}\n` : `${line}\n`)
}
