import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startTcpProxy } from '../packages/server/test/tcp-proxy.ts'
import { databases, type TestDatabase } from '../test-support/databases.ts'

const MAPAE = fileURLToPath(new URL('../packages/cli/dist/bin.js', import.meta.url))
const GUARD = fileURLToPath(new URL('../test-support/guard-server.mjs', import.meta.url))
/** Far more than it takes; how long it took decides nothing. */
const SOON = { timeout: 30_000, interval: 20 }

interface Person {
  readonly access_token: string
  readonly refresh_token: string
}

test('two replicas on PostgreSQL and four guard processes: whatever ends at one replica, every guard refuses', async () => {
  const { proxies, urls, replicas, run } = await startReplicas()
  const guards = await startGuards(urls)
  const people = await Promise.all(
    Array.from({ length: 4 }, (_, index) => register(urls[index % 2] ?? '', index)),
  )
  for (const person of people) for (const guard of guards) expect(await ask(guard, person)).toBe(200)
  await Promise.all(guards.map((guard) => isIn(guard, 'live')))
  const [one, two, three, last] = people as [Person, Person, Person, Person]

  await logOut(urls[0], one)
  for (const guard of guards) await refuses(guard, one)
  await logOut(urls[1], two)
  for (const guard of guards) await refuses(guard, two)
  for (const guard of guards) expect(await ask(guard, three), 'nobody else').toBe(200)

  await proxies[0].cut()
  await logOut(urls[1], three)
  for (const guard of guards.slice(2)) await refuses(guard, three)
  for (const guard of guards.slice(0, 2))
    expect(await ask(guard, last), 'cut off, and still on duty').toBe(200)
  await proxies[0].restore()
  for (const guard of guards) await refuses(guard, three)

  replicas[0].process.kill('SIGKILL')
  await once(replicas[0].process, 'exit')
  replicas[0].address.port = replicas[1].address.port
  for (const guard of guards)
    expect(await ask(guard, last), 'a replica is killed: nobody is logged out').toBe(200)
  const renewed = await renew(urls[0], last)
  for (const guard of guards) expect(await ask(guard, renewed)).toBe(200)
  await Promise.all(guards.map((guard) => isIn(guard, 'live')))

  const { kid } = JSON.parse(Buffer.from(renewed.access_token.split('.', 1)[0] ?? '', 'base64url').toString())
  expect(await run('keys', 'withdraw', kid, '--yes')).toBe(0)
  for (const guard of guards) await refuses(guard, renewed)
  const honest = await renew(urls[1], renewed)
  for (const guard of guards) await vi.waitFor(async () => expect(await ask(guard, honest)).toBe(200), SOON)

  replicas[1].process.kill('SIGTERM')
  const [code] = await once(replicas[1].process, 'exit')
  expect(code, 'a server that is told to stop does not wait for its listeners').toBe(0)
}, 120_000)

function openPostgres(): Promise<TestDatabase> {
  const [postgres] = databases.filter(({ name }) => name === 'postgres')
  if (!postgres) throw new Error('there is no PostgreSQL')
  return postgres.open()
}

/** Both behind a line that can be cut; the issuer is the first line's address. */
async function startReplicas() {
  const database = await openPostgres()
  const data = await mkdtemp(join(tmpdir(), 'mapae-feed-'))
  onTestFinished(async () => {
    await database.close()
    await rm(data, { recursive: true, force: true })
  })
  const addresses = [
    { host: '127.0.0.1', port: 0 },
    { host: '127.0.0.1', port: 0 },
  ] as const
  const proxies = [await startTcpProxy(addresses[0]), await startTcpProxy(addresses[1])] as const
  onTestFinished(async () => {
    for (const proxy of proxies) await proxy.cut()
  })
  const urls = [`http://localhost:${proxies[0].port}`, `http://localhost:${proxies[1].port}`] as const
  const environment = { ...process.env, MAPAE_SECRET: 'a server secret for tests of 32 characters or more' }
  const store = ['--data', data, '--database', database.url]
  const start = async (address: { port: number }) => {
    address.port = await freePort()
    const process = child(
      [MAPAE, 'start', '--port', String(address.port), '--url', urls[0], ...store],
      environment,
    )
    await vi.waitFor(async () => {
      const ready = await fetch(`http://127.0.0.1:${address.port}/readyz`)
      expect(ready.status).toBe(200)
    }, SOON)
    return { process, address }
  }
  const replicas = [await start(addresses[0]), await start(addresses[1])] as const
  const run = async (...args: readonly string[]) => {
    const [code] = await once(child([MAPAE, ...args, ...store], environment), 'exit')
    return code
  }
  return { proxies, urls, replicas, run }
}

/** Two follow the one replica, two the other; all admit the tokens of both. */
async function startGuards(urls: readonly [string, string]): Promise<readonly string[]> {
  const [issuer, other] = urls
  return Promise.all(
    [issuer, issuer, other, other].map(async (server) => {
      const [port] = await once(
        child([GUARD, JSON.stringify({ issuer, server })], process.env).stdout.setEncoding('utf8'),
        'data',
      )
      return `http://127.0.0.1:${Number(port)}`
    }),
  )
}

function child(args: readonly string[], env: NodeJS.ProcessEnv) {
  const running = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(async () => {
    if (running.exitCode !== null || running.signalCode !== null) return
    running.kill('SIGKILL')
    await once(running, 'exit')
  })
  return running
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((closed) => server.close(closed))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

const json = { 'content-type': 'application/json' }
const bearer = ({ access_token }: Person) => ({ authorization: `Bearer ${access_token}` })

async function register(url: string, index: number): Promise<Person> {
  const response = await fetch(`${url}/auth/register`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ email: `person-${index}@example.com`, password: 'correct horse battery' }),
  })
  expect(response.status).toBe(201)
  return JSON.parse(await response.text())
}

async function renew(url: string, person: Person): Promise<Person> {
  const response = await fetch(`${url}/auth/refresh`, {
    method: 'POST',
    headers: { ...json, ...bearer(person) },
    body: JSON.stringify({ refresh_token: person.refresh_token }),
  })
  expect(response.status).toBe(200)
  return JSON.parse(await response.text())
}

async function logOut(url: string, person: Person): Promise<void> {
  const response = await fetch(`${url}/auth/logout`, { method: 'POST', headers: bearer(person) })
  expect(response.status).toBe(204)
}

async function ask(guard: string, person: Person): Promise<number> {
  const response = await fetch(guard, { headers: bearer(person) })
  await response.arrayBuffer()
  return response.status
}

const refuses = (guard: string, person: Person) =>
  vi.waitFor(async () => expect(await ask(guard, person)).toBe(401), SOON)

const isIn = (guard: string, state: string) =>
  vi.waitFor(async () => expect(await (await fetch(`${guard}/status`)).json()).toMatchObject({ state }), SOON)

test('a guard that listens does not keep its process from ending', async () => {
  const lively = createHttpServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const speaking = setInterval(() => response.write('data: anything\n\n'), 500)
    response.on('close', () => clearInterval(speaking))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    lively.closeAllConnections()
    lively.close()
  })
  await once(lively, 'listening')
  const heard = once(lively, 'request')
  const address = lively.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const script = `import { createGuard } from '@mapae/guard'
    createGuard({ issuer: 'http://127.0.0.1:${port}', revocations: true }).status()
    setTimeout(() => {}, 1000)`
  const running = child(['--input-type=module', '--eval', script], process.env)
  await heard
  const [code] = await once(running, 'exit')
  expect(code).toBe(0)
})
