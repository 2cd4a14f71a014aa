import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { describe, expect, it } from 'vitest'
import { atTheEnd } from '../../../server/test/start-auth.ts'
import { startStage } from './start-stage.ts'
import { type How, transcriptOf } from './transcript.ts'

// Bun, Deno and Cloudflare's workerd are not installed with the rest, for their size: `npm ci --prefix packages/client/test/runtimes` brings
// them, and CI does so by itself. npm has them for other systems too; the lockfile names Linux on x64.
const folder = fileURLToPath(new URL('./', import.meta.url))
const bun = `${folder}node_modules/@oven/bun-linux-x64/bin/bun`
const deno = `${folder}node_modules/@deno/linux-x64-glibc/deno`
const workerd = `${folder}node_modules/@cloudflare/workerd-linux-64/bin/workerd`
const runsHere = process.platform === 'linux' && process.arch === 'x64'
if (process.env['CI'] && runsHere && ![bun, deno, workerd].every((binary) => existsSync(binary)))
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

describe.skipIf(!existsSync(workerd))('in workerd', () => {
  it.each<How>(['bound', 'unbound'])(
    'a worker lives through expiries, lost answers and restarts, %s to a key',
    { timeout: 60_000 },
    async (how) => {
      const { url } = await startStage()
      const worker = await startWorkerd()
      const told = await fetch(`${worker}/?how=${how}&url=${url}`)
      expect(await told.json()).toEqual(transcriptOf(how))
    },
  )
})

/** A worker in one file, as they are deployed, on a free port. */
async function startWorkerd(): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), 'mapae-workerd-'))
  atTheEnd(() => rm(place, { recursive: true, force: true }))
  const build = await rolldown({ input: `${folder}in-workerd.mjs`, platform: 'browser', logLevel: 'silent' })
  await build.write({ file: join(place, 'worker.js'), format: 'esm', codeSplitting: false })
  await build.close()
  await writeFile(join(place, 'config.capnp'), configOfWorkerd)
  const child = spawn(workerd, ['serve', join(place, 'config.capnp'), '--control-fd=3'], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  atTheEnd(async () => {
    child.kill()
    await once(child, 'exit')
  })
  const control = child.stdio[3]
  if (!(control instanceof Readable)) throw new Error('workerd has no control pipe')
  for await (const line of createInterface({ input: control })) {
    const { event, port } = JSON.parse(line)
    if (event === 'listen') return `http://127.0.0.1:${port}`
  }
  throw new Error('workerd did not start')
}

const configOfWorkerd = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed "worker.js")],
      compatibilityDate = "2026-01-01",
      globalOutbound = "anywhere",
    )),
    (name = "anywhere", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`

async function outcomeOf([binary = '', ...rest]: readonly string[]) {
  const child = spawn(binary, rest, { cwd: folder, env: { ...process.env, NO_COLOR: '1' } })
  const ended = once(child, 'exit')
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  const lines = output.split('\n').filter((line) => line !== '')
  return { lines: lines.map((line) => JSON.parse(line)), errors, code }
}
