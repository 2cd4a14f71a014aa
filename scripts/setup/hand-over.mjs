import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './root.mjs'

/**
 * The server, in this process: signals reach it directly, and it is up sooner.
 * @param {readonly string[]} args
 * @param {number} since when the set-up was done, by performance.now()
 * @returns {Promise<number>} the exit code
 */
export async function startServer(args, since) {
  const { main } = await import(pathToFileURL(join(root, 'packages/cli/dist/index.js')).href)
  return main(['start', ...args], { since })
}

/**
 * Runs a Node.js program in the checkout as if it had been called instead of us.
 * @param {readonly string[]} args
 * @returns {Promise<number>} its exit code
 */
export function handOver(args) {
  return new Promise((resolve, reject) => {
    const program = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' })
    const pass = (/** @type {NodeJS.Signals} */ signal) => program.kill(signal)
    process.on('SIGINT', pass).on('SIGTERM', pass)
    program.once('error', reject)
    program.once('exit', (code, signal) => {
      process.off('SIGINT', pass).off('SIGTERM', pass)
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0))
    })
  })
}
