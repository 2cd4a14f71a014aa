import { type ChildProcessByStdio, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** What the set-up built; the tests run it as people and scripts do. */
const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface How {
  readonly stdin?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly uid?: number
}

/** Runs the command to its end. */
export async function mapae(args: readonly string[], { stdin = '', ...how }: How = {}): Promise<Outcome> {
  const running = spawnMapae(args, how)
  running.child.stdin.on('error', () => {}) // it may end without reading
  running.child.stdin.end(stdin)
  return running.ended
}

export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  /** What it has printed so far. */
  readonly printed: { stdout: string; stderr: string }
  readonly ended: Promise<Outcome>
}

/** Starts the command; it does not outlive the test. */
export function spawnMapae(args: readonly string[], { cwd = tmpdir(), env = {}, uid }: How = {}): Running {
  const options: SpawnOptions = { cwd, env: { ...cleanEnvironment(), ...env }, ...(uid && { uid, gid: uid }) }
  const child = spawn(process.execPath, [BIN, ...args], { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
  const printed = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    printed.stderr += text
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...printed }))
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
  })
  return { child, printed, ended }
}

export interface RunningServer extends Running {
  readonly url: string
  readonly port: number
}

/** `mapae start` on a free port, ready to be asked. */
export async function startServer(args: readonly string[], how: How = {}): Promise<RunningServer> {
  const running = spawnMapae(['start', '--port', '0', ...args], how)
  const url = await printedUrl(running)
  return { ...running, url, port: Number(new URL(url).port) }
}

async function printedUrl({ child, printed, ended }: Running): Promise<string> {
  for (;;) {
    const [url] = /http:\/\/localhost:\d+/.exec(printed.stdout) ?? []
    if (url) return url
    const news = await Promise.race([once(child.stdout, 'data').then(() => undefined), ended])
    if (news) throw new Error(`the server did not start: ${JSON.stringify(news)}`)
  }
}

/** The variables of whoever runs the tests must not decide them. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(MAPAE_|PORT$|NODE_ENV$|NO_COLOR$|FORCE_COLOR$|NODE_OPTIONS$|NODE_V8_COVERAGE$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
}

/** An empty folder, gone with the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mapae-cli-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** Whether another user can run the command: not from a checkout in a folder that is closed to them. */
export function canRunAs(uid: number): boolean {
  const how = { uid, gid: uid, cwd: tmpdir() }
  return spawnSync(process.execPath, [BIN, '--version'], how).status === 0
}
