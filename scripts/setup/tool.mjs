import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { root } from './root.mjs'

/** The set-up cannot go on. The message is one sentence for a person; `output` is what the failing tool printed. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {string} [output]
   */
  constructor(message, output) {
    super(message)
    this.output = output
  }
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()
let ending = false

/**
 * Runs a Node.js program in the checkout and keeps what it prints.
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function runTool(args, { env = process.env, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const tool = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(tool)
    let output = ''
    const collect = (/** @type {Buffer} */ chunk) => {
      output += chunk
    }
    tool.stdout.on('data', collect)
    tool.stderr.on('data', collect)
    tool.once('error', reject)
    tool.once('close', (code) => {
      running.delete(tool)
      if (!ending) resolve({ code: code ?? 1, output })
    })
  })
}

/**
 * From now on a signal ends the running tools first and then this process, so that nothing goes on installing behind our
 * back.
 * @returns {() => void} back to how it was
 */
export function endWithTools() {
  const end = async (/** @type {NodeJS.Signals} */ signal) => {
    ending = true
    await Promise.all([...running].map((tool) => endTool(tool, signal)))
    process.exit(128 + constants.signals[signal])
  }
  process.on('SIGINT', end).on('SIGTERM', end)
  return () => process.off('SIGINT', end).off('SIGTERM', end)
}

/**
 * @param {import('node:child_process').ChildProcess} tool
 * @param {NodeJS.Signals} signal
 */
async function endTool(tool, signal) {
  tool.kill(signal)
  const patience = setTimeout(() => tool.kill('SIGKILL'), 1_000)
  await once(tool, 'close')
  clearTimeout(patience)
}
