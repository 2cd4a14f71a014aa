// What `npm start`, `npm test`, `npm run check`, `npm run bench` and `npm run build` go through: installs and builds what
// is missing or stale, then does what was asked. Node's built-ins alone, because it runs before anything is installed.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build, isBuilt } from './setup/build.mjs'
import { handOver, startServer } from './setup/hand-over.mjs'
import { install, isInstalled } from './setup/install.mjs'
import { withLock } from './setup/lock.mjs'
import { refuseOldNode } from './setup/node-version.mjs'
import { root } from './setup/root.mjs'
import { endWithTools, SetupError } from './setup/tool.mjs'

const [task = '', ...rest] = process.argv.slice(2)
try {
  refuseOldNode()
  const since = await setUp()
  process.exitCode = await run(since)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(error.output ? `${error.output.trimEnd()}\n\n${error.message}` : error.message)
  process.exitCode = 1
}

/** @returns {Promise<number>} when it was done, by performance.now(); 0 when there was nothing to do */
async function setUp() {
  // `check` reports a failing build as one of its findings.
  const needsBuild = task !== 'check'
  if (isInstalled() && (!needsBuild || isBuilt())) return 0

  const stopListening = endWithTools()
  await withLock(async () => {
    if (!isInstalled()) await install()
    if (needsBuild && !isBuilt()) await build()
  })
  stopListening()
  return performance.now()
}

/**
 * @param {number} since
 * @returns {Promise<number>} the exit code
 */
async function run(since) {
  switch (task) {
    case 'start':
      return startServer(rest, since)
    case 'test':
      return handOver(['node_modules/vitest/vitest.mjs', 'run', ...rest])
    case 'check':
      return handOver(['scripts/check.mjs', ...rest])
    case 'bench':
      if (!existsSync(join(root, 'bench/run.mjs'))) throw new SetupError('There are no benchmarks yet.')
      return handOver(['bench/run.mjs', ...rest])
    case 'build':
      return 0
    default:
      throw new SetupError(`"${task}" is none of start, test, check, bench, build.`)
  }
}
