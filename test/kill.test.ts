import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { databases } from '../test-support/databases.ts'

const MAPAE = fileURLToPath(new URL('../packages/cli/dist/bin.js', import.meta.url))
const CLIENTS = 20
const REFRESHES = 1000

interface Pair {
  readonly access_token: string
  readonly refresh_token: string
}

/** A client that stores what it is answered, and its attempt id before it sends. */
interface Client {
  pair: Pair
  pending: string | undefined
  answered: number
}

describe.each(databases)('a server killed in the middle of 1,000 renewals, on $name', (database) => {
  test('goes on with every client where its last answer left it', async () => {
    const opened = await database.open()
    const data = await mkdtemp(join(tmpdir(), 'mapae-kill-'))
    onTestFinished(async () => {
      await opened.close()
      await rm(data, { recursive: true, force: true })
    })
    const port = await freePort()
    const url = `http://localhost:${port}`
    const start = () => startServer({ port, data, database: opened.url, url })

    const first = await start()
    const clients = await Promise.all(Array.from({ length: CLIENTS }, (_, index) => register(url, index)))
    const total = () => clients.reduce((sum, client) => sum + client.answered, 0)
    const killed = once(first, 'exit')
    await Promise.all(
      clients.map(async (client) => {
        while (total() < REFRESHES && (await renew(url, client))) {
          if (total() === REFRESHES / 2) first.kill('SIGKILL')
        }
      }),
    )
    await killed
    expect(total()).toBeGreaterThanOrEqual(REFRESHES / 2)
    expect(total()).toBeLessThan(REFRESHES)
    expect(clients.some((client) => client.pending !== undefined)).toBe(true)

    const second = await start()
    onTestFinished(() => void second.kill('SIGKILL'))
    for (const client of clients) {
      const generation = generationOf(client.pair)
      expect(await renew(url, client)).toBe(true)
      expect(generationOf(client.pair)).toBe(generation + 1)
      expect((await me(url, client.pair)).status).toBe(200)
    }
  }, 60_000)
})

/** One renewal; false when no answer came, and then the attempt id is kept for the next try. */
async function renew(url: string, client: Client): Promise<boolean> {
  client.pending ??= randomBytes(16).toString('base64url')
  try {
    const response = await fetch(`${url}/auth/refresh`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${client.pair.access_token}`,
        'idempotency-key': client.pending,
      },
      body: JSON.stringify({ refresh_token: client.pair.refresh_token }),
    })
    const answer: Pair & { code?: string } = JSON.parse(await response.text())
    expect({ status: response.status, code: answer.code }).toEqual({ status: 200, code: undefined })
    client.pair = answer
    client.pending = undefined
    client.answered++
    return true
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

async function register(url: string, index: number): Promise<Client> {
  const response = await fetch(`${url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `client-${index}@example.com`, password: 'correct horse battery' }),
  })
  expect(response.status).toBe(201)
  return { pair: JSON.parse(await response.text()), pending: undefined, answered: 0 }
}

const me = (url: string, pair: Pair) =>
  fetch(`${url}/auth/me`, { headers: { authorization: `Bearer ${pair.access_token}` } })

const generationOf = (pair: Pair) => Number(pair.refresh_token.split('.')[2])

async function startServer(where: {
  port: number
  data: string
  database: string
  url: string
}): Promise<ChildProcess> {
  const { port, data, database, url } = where
  const flags = ['--port', String(port), '--data', data, '--database', database, '--url', url]
  const server = spawn(process.execPath, [MAPAE, 'start', ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  for (;;) {
    if (server.exitCode !== null) throw new Error('the server did not start')
    const ready = await fetch(`${url}/readyz`).catch(() => undefined)
    if (ready?.status === 200) return server
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
