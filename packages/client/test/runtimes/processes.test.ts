import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startStage } from './start-stage.ts'
import { type How, transcriptOf } from './transcript.ts'

// Bun and Deno are not installed with the rest, for their size: `npm ci --prefix packages/client/test/runtimes` brings them, and CI
// does so by itself. npm has them for other systems too; the lockfile names Linux on x64.
const folder = fileURLToPath(new URL('./', import.meta.url))
const bun = `${folder}node_modules/@oven/bun-linux-x64/bin/bun`
const deno = `${folder}node_modules/@deno/linux-x64-glibc/deno`
const runsHere = process.platform === 'linux' && process.arch === 'x64'
if (process.env['CI'] && runsHere && !(existsSync(bun) && existsSync(deno)))
  spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })

const runtimes: readonly [string, ...string[]][] = [
  ['Node.js', process.execPath],
  ['Bun', bun],
  ['Deno', deno, 'run', '--allow-net', '--allow-read', '--node-modules-dir=manual'],
]

describe.each(runtimes)('in %s', (_, ...command) => {
  it.skipIf(!existsSync(command[0] ?? '')).each<[string, How]>([
    ['process.mjs', 'bound'],
    ['process.mjs', 'unbound'],
    ['thread.mjs', 'bound'],
    ['thread.mjs', 'unbound'],
  ])(
    '%s lives through expiries, lost answers and restarts, %s to a key, warns of nothing, and ends by itself',
    { timeout: 60_000 },
    async (file, how) => {
      const { url } = await startStage()
      expect(await outcomeOf([...command, `${folder}${file}`, url, how])).toEqual({
        lines: transcriptOf(how),
        errors: '',
        code: 0,
      })
    },
  )
})

async function outcomeOf([binary = '', ...rest]: readonly string[]) {
  const child = spawn(binary, rest, { cwd: folder, env: { ...process.env, NO_COLOR: '1' } })
  const ended = once(child, 'exit')
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  const lines = output.split('\n').filter((line) => line !== '')
  return { lines: lines.map((line) => JSON.parse(line)), errors, code }
}
