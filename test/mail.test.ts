import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SMTPServer } from 'smtp-server'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { query } from '../packages/server/test/read-database.ts'
import { databases } from '../test-support/databases.ts'

const MAPAE = fileURLToPath(new URL('../packages/cli/dist/bin.js', import.meta.url))
const PASSWORD = 'correct horse battery'

describe.each(databases)('mapae start and mail, on $name', (database) => {
  const open = async () => {
    const opened = await database.open()
    const data = await mkdtemp(join(tmpdir(), 'mapae-mail-'))
    onTestFinished(async () => {
      await opened.close()
      await rm(data, { recursive: true, force: true })
    })
    const port = await freePort()
    return { opened, data, url: `http://localhost:${port}`, flags: flagsOf(port, data, opened.url) }
  }

  test('in development prints each mail and keeps it for this user alone', async () => {
    const { data, url, flags } = await open()
    const server = await startServer(url, flags)
    await post(url, '/auth/register', { email: 'me@example.com', password: PASSWORD })
    const files = await vi.waitFor(async () => {
      const found = await readdir(join(data, 'outbox'))
      expect(found).toHaveLength(1)
      return found
    })
    const file = join(data, 'outbox', files[0] ?? '')
    const mail = await readFile(file, 'utf8')
    expect(mail).toMatch(/^To: me@example\.com\nSubject: Confirm your e-mail address for localhost:\d+\n\n/)
    if (process.platform !== 'win32') {
      expect((await stat(file)).mode & 0o777).toBe(0o600)
      expect((await stat(join(data, 'outbox'))).mode & 0o777).toBe(0o700)
    }
    const link = /^http:\S+$/m.exec(mail)?.[0] ?? ''
    await vi.waitFor(() => expect(server.printed()).toContain(link))
    expect((await fetch(link)).status).toBe(200)
  })

  test('in production without an SMTP server promises nothing, and says so at the start', async () => {
    const { url, flags, data } = await open()
    const server = await startServer(url, flags, {
      NODE_ENV: 'production',
      MAPAE_SECRET: 'a server secret for tests of 32 characters or more',
    })
    expect(server.printed()).toContain('MAPAE_SMTP_URL is not set: no mail is sent')
    const answer = await post(url, '/auth/password/forgot', { email: 'me@example.com' })
    expect([answer.status, JSON.parse(await answer.text()).code]).toEqual([501, 'mail_not_configured'])
    expect(await readdir(data)).not.toContain('outbox')
  })

  test('loses no mail that was answered 202, though it is killed', async () => {
    const { opened, url, flags } = await open()
    const nobody = {
      MAPAE_SMTP_URL: `smtp://localhost:${await freePort()}`,
      MAPAE_MAIL_FROM: 'auth@example.com',
    }
    const first = await startServer(url, flags, nobody)
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        post(url, '/auth/register', { email: `person-${index}@example.com`, password: PASSWORD }),
      ),
    )
    const forgot = await post(url, '/auth/password/forgot', { email: 'person-0@example.com' })
    first.process.kill('SIGKILL')
    expect([...answers.map(({ status }) => status), forgot.status]).toEqual([201, 201, 201, 201, 201, 202])
    await once(first.process, 'exit')
    await query(opened, 'update mails set due_at = 0 returning id')

    const smtp = await startSmtp()
    await startServer(url, flags, {
      MAPAE_SMTP_URL: `smtp://localhost:${smtp.port}`,
      MAPAE_MAIL_FROM: 'Mapae <auth@example.com>',
    })
    await vi.waitFor(() => expect(smtp.addressees).toHaveLength(6), { timeout: 10_000 })
    expect(smtp.addressees.toSorted()).toEqual([
      'person-0@example.com',
      ...[0, 1, 2, 3, 4].map((index) => `person-${index}@example.com`),
    ])
  })
})

const flagsOf = (port: number, data: string, database: string) => [
  '--port',
  String(port),
  '--data',
  data,
  '--database',
  database,
]

const post = (url: string, path: string, body: unknown) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

async function startServer(
  url: string,
  flags: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ process: ChildProcess; printed: () => string }> {
  const server = spawn(process.execPath, [MAPAE, 'start', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: '', ...environment },
  })
  onTestFinished(() => void server.kill('SIGKILL'))
  let printed = ''
  for (const output of [server.stdout, server.stderr])
    output.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), { timeout: 15_000 })
  return { process: server, printed: () => printed }
}

async function startSmtp() {
  const addressees: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData(stream, session, callback) {
      stream.on('end', () => {
        addressees.push(...session.envelope.rcptTo.map(({ address }) => address))
        callback()
      })
      stream.resume()
    },
  })
  const listening = server.listen(0)
  await once(listening, 'listening')
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { addressees, port: portOf(listening.address()) }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server.address())
  server.close()
  return port
}

function portOf(address: unknown): number {
  const port = typeof address === 'object' && address !== null ? Reflect.get(address, 'port') : undefined
  if (typeof port !== 'number') throw new Error('no port')
  return port
}
