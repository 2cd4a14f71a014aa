import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

test('what npm start runs is the server; a second one is told that the port is taken; Ctrl-C ends it with 0', async () => {
  const data = await mkdtemp(join(tmpdir(), 'mapae-npm-start-'))
  onTestFinished(() => rm(data, { recursive: true, force: true, maxRetries: 5 }))
  const first = run(['scripts/setup.mjs', 'start', '--port', '0', '--data', data])
  const url = await urlOf(first)
  expect((await fetch(`${url}/healthz`)).status).toBe(200)

  const second = run(['scripts/setup.mjs', 'start', '--port', new URL(url).port, '--data', data])
  expect(await second.ended).toEqual({
    code: 1,
    stdout: '',
    stderr: `Port ${new URL(url).port} is taken: stop what listens there, or choose another with --port.\n`,
  })
  first.child.kill('SIGINT')
  expect(await first.ended).toMatchObject({ code: 0, stderr: '' })
})

test('a task or a check that does not exist is refused, whatever name it has', async () => {
  expect(await run(['scripts/setup.mjs', 'constructor']).ended).toEqual({
    code: 1,
    stdout: '',
    stderr: '"constructor" is none of start, test, check, bench, build.\n',
  })
  const { code, stderr } = await run(['scripts/check.mjs', 'constructor']).ended
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^There is no check constructor; there are types, /),
  ])
})

interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  readonly printed: { stdout: string; stderr: string }
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
}

function run(args: readonly string[]): Running {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(MAPAE_|PORT$|NODE_ENV$)/.test(name)),
  )
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    printed.stderr += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code, ...printed }))
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
  })
  return { child, printed, ended }
}

async function urlOf({ child, printed, ended }: Running): Promise<string> {
  for (;;) {
    const [url] = /http:\/\/localhost:\d+/.exec(printed.stdout) ?? []
    if (url) return url
    const early = await Promise.race([once(child.stdout, 'data').then(() => undefined), ended])
    if (early) throw new Error(`the server did not start: ${JSON.stringify(early)}`)
  }
}
