// What a million revocations cost a guard, and how long after a logout the guards of four processes refuse.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { writeSection } from '../section.mjs'

const LOGOUTS = 100
/** Milliseconds between two questions to a guard: asking more often would measure the asking. */
const POLL = 3
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const children = []

const million = JSON.parse(execFileSync(process.execPath, ['--expose-gc', here('million.mjs')]))
const delays = await measureLogouts().finally(stopAll)
const text = report()
console.log(text)
writeSection('guard: revocations', text)

/** Milliseconds from sending a logout to one replica until a guard refuses, for each logout and guard. */
async function measureLogouts() {
  const data = mkdtempSync(join(tmpdir(), 'mapae-bench-'))
  try {
    const database = JSON.parse(await firstLine([here('../../test-support/postgres-server.mjs')])).url
    const ports = [await freePort(), await freePort()]
    const servers = ports.map((port) => `http://localhost:${port}`)
    const [issuer] = servers
    for (const port of ports) await startReplica({ port, issuer, database, data })
    const guards = []
    for (const server of [issuer, issuer, servers[1], servers[1]]) {
      const port = await firstLine([
        here('../../test-support/guard-server.mjs'),
        JSON.stringify({ issuer, server }),
      ])
      guards.push(`http://127.0.0.1:${port}`)
    }
    const tokens = await logIn(issuer)
    for (const guard of guards) await warmUp(guard, tokens[0])
    const delays = []
    for (const [index, token] of tokens.entries()) {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[Klogout ${index + 1} of ${LOGOUTS} …`)
      const began = performance.now()
      const ended = fetch(`${servers[index % 2]}/auth/logout`, { method: 'POST', headers: bearer(token) })
      delays.push(...(await Promise.all(guards.map((guard) => untilRefused(guard, token, began)))))
      await (await ended).arrayBuffer()
    }
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    return delays.sort((a, b) => a - b)
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

async function untilRefused(guard, token, began) {
  for (;;) {
    const response = await fetch(guard, { headers: bearer(token) })
    await response.arrayBuffer()
    if (response.status === 401) return performance.now() - began
    await new Promise((resolve) => setTimeout(resolve, POLL))
  }
}

async function warmUp(guard, token) {
  for (;;) {
    await (await fetch(guard, { headers: bearer(token) })).arrayBuffer()
    const status = await (await fetch(`${guard}/status`)).json()
    if (status.state === 'live') return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function logIn(server) {
  const post = async (path, body) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${server}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    return response.json()
  }
  const credentials = { email: 'me@example.com', password: 'correct horse battery' }
  const { access_token: first } = await post('/auth/register', credentials)
  const tokens = [first]
  while (tokens.length < LOGOUTS) tokens.push((await post('/auth/login', credentials)).access_token)
  return tokens
}

async function startReplica({ port, issuer, database, data }) {
  const flags = ['--port', String(port), '--url', issuer, '--database', database, '--data', data]
  start([here('../../packages/cli/dist/bin.js'), 'start', ...flags], 'ignore')
  for (;;) {
    const ready = await fetch(`http://localhost:${port}/readyz`).catch(() => undefined)
    if (ready?.status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function firstLine(args) {
  for await (const line of createInterface({ input: start(args, 'pipe').stdout })) return line
  throw new Error(`${args[0]} printed nothing`)
}

function start(args, stdout) {
  const child = spawn(process.execPath, args, { stdio: ['pipe', stdout, 'inherit'] })
  children.push(child)
  return child
}

async function stopAll() {
  for (const child of children.reverse()) {
    if (child.exitCode !== null) continue
    child.stdin.end()
    if (child.spawnargs.includes('start')) child.kill()
    await once(child, 'exit')
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise((closed) => server.close(closed))
  return port
}

function bearer(token) {
  return { authorization: `Bearer ${token}` }
}

function report() {
  const share = (part) => delays[Math.min(delays.length - 1, Math.floor(delays.length * part))]?.toFixed(0)
  const where = `Node ${process.version}, ${cpus().length} cores of ${cpus()[0]?.model.trim()}`
  return `${where}, ${new Date().toISOString().slice(0, 10)}. \`npm run bench -- guard revocations\` measures again.

A million revocations in a guard's memory, in a process of its own:

| | |
|---|---|
| memory, as the process grows by it | ${(million.rss / 1e6).toFixed(0)} MB (${million.bytes.toFixed(1)} bytes an entry) |
| one look-up, in processor time: found, not found | ${million.hit.toFixed(2)} µs, ${million.miss.toFixed(2)} µs |
| the whole question in processor time (session and account), of a token that is seen for the first time, and again | ${million.first.toFixed(2)} µs, ${million.again.toFixed(2)} µs |
| putting one in, in processor time: mean, the slowest of a thousand, the slowest of all (garbage collection) | ${million.add.toFixed(2)} µs, ${million.slowest.toFixed(0)} µs, ${(million.worst / 1000).toFixed(1)} ms |

From a logout's being sent to one of two replicas on PostgreSQL until a guard refuses: ${LOGOUTS} logouts, four guard processes, two at
each replica, all of it on this one machine, whose load average was ${loadavg()[0]?.toFixed(0)} (work of others among it). Half of ${delays.length} refusals within ${share(0.5)} ms, p99 ${share(0.99)} ms, the last one ${share(1)} ms.

\`\`\`
${histogram()}
\`\`\``
}

function histogram() {
  const bounds = [5, 10, 20, 30, 50, 100, 250, 1000, Number.POSITIVE_INFINITY]
  return bounds
    .map((bound, index) => {
      const least = bounds[index - 1] ?? 0
      const count = delays.filter((delay) => delay > least && delay <= bound).length
      const label = bound === Number.POSITIVE_INFINITY ? `over ${least} ms` : `up to ${bound} ms`
      return `${label.padStart(13)} ${String(count).padStart(4)} ${'█'.repeat(Math.ceil((count * 50) / delays.length))}`
    })
    .join('\n')
}
