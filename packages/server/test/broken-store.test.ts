import { writeFile } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeUnverified } from '@mapae/jwt'
import { StoreError } from '@mapae/server'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { databases, type TestDatabase } from '../../../test-support/databases.ts'
import { loadSqlite } from '../src/store/sqlite-library.ts'
import { pathOf, query, queryAround } from './read-database.ts'
import {
  type Answer,
  atTheEnd,
  PASSWORD,
  someEmail,
  startAuth,
  startFreshAuth,
  type TestAuth,
  URL_OF_AUTH,
} from './start-auth.ts'
import { startTcpProxy } from './tcp-proxy.ts'

const [sqlite, postgres] = databases
if (sqlite?.name !== 'sqlite' || postgres?.name !== 'postgres') throw new Error('both databases')

const mailer = async () => {}

/** What people had before the store broke. */
async function peopleOf(server: TestAuth) {
  const email = someEmail()
  const header = await server.register({ email })
  const cookie = await server.login({ email, transport: 'cookie' })
  await server.auth.api.sendMails()
  return { email, header, cookies: { cookies: cookie.cookies, headers: { origin: URL_OF_AUTH } } }
}

type People = Awaited<ReturnType<typeof peopleOf>>

/** Every request that needs the database, with good credentials. */
function requests(server: TestAuth, { email, header, cookies }: People) {
  const { access_token: token, refresh_token, session_id } = header.json
  return {
    writes: {
      register: () => server.register(),
      login: () => server.login({ email }),
      'login with a wrong password': () => server.login({ email, password: 'not the password' }),
      refresh: () => server.refresh(header.json, { attemptId: 'a'.repeat(22) }),
      'refresh by cookies': () => server.call('POST', '/auth/refresh', cookies),
      'logout by access token': () => server.call('POST', '/auth/logout', { token }),
      'logout by refresh token': () => server.call('POST', '/auth/logout', { body: { refresh_token } }),
      'end a session': () => server.call('DELETE', `/auth/sessions/${session_id}`, { token }),
      'end the others': () => server.call('DELETE', '/auth/sessions', { token }),
      'change me': () => server.call('PATCH', '/auth/me', { token, body: { nickname: 'me' } }),
      'delete me': () => server.call('DELETE', '/auth/me', { token, body: { password: PASSWORD } }),
      'delete me, with a wrong password': () =>
        server.call('DELETE', '/auth/me', { token, body: { password: 'not the password' } }),
      'ask for a reset': () => server.call('POST', '/auth/password/forgot', { body: { email } }),
      'change the password': () =>
        server.call('POST', '/auth/password', {
          token,
          body: { current_password: PASSWORD, new_password: PASSWORD },
        }),
      'change the address': () =>
        server.call('POST', '/auth/email/change', { token, body: { email, password: PASSWORD } }),
      'ask for another code': () => server.call('POST', '/auth/email/verify/resend', { token }),
    },
    reads: {
      me: () => server.call('GET', '/auth/me', { token }),
      'me by cookies': () => server.call('GET', '/auth/me', cookies),
      sessions: () => server.call('GET', '/auth/sessions', { token }),
      token: () => server.call('POST', '/auth/token', cookies),
      'refresh with a forged token': () =>
        server.refresh({ ...header.json, refresh_token: refresh_token.replace('.1.', '.2.') }),
    },
  }
}

async function ask(all: Readonly<Record<string, () => Promise<Answer>>>): Promise<Record<string, Answer>> {
  const answers = await Promise.all(
    Object.entries(all).map(async ([name, send]) => [name, await send()] as const),
  )
  return Object.fromEntries(answers)
}

function expectUnavailable(answers: Readonly<Record<string, Answer>>): void {
  for (const [name, answer] of Object.entries(answers)) {
    expect([answer.status, answer.json.code], name).toEqual([503, 'store_unavailable'])
    expect(answer.headers.get('retry-after'), name).toMatch(/^[1-9]\d*$/)
    expect(answer.headers.get('content-type'), name).toBe('application/problem+json')
    expect(answer.headers.get('www-authenticate'), name).toBeNull()
    expect(answer.setCookies, name).toEqual([])
    expect(answer.text, name).not.toMatch(/sqlite|postgres|pg_|ECONN|127\.0\.0\.1|select|\.db/i)
  }
}

/** Everybody goes on with what they had. */
async function expectHealed(server: TestAuth, { email, header, cookies }: People): Promise<void> {
  expect((await server.call('GET', '/readyz')).status).toBe(200)
  expect((await server.call('GET', '/auth/me', { token: header.json.access_token })).status).toBe(200)
  expect((await server.refresh(header.json, { attemptId: 'a'.repeat(22) })).status).toBe(200)
  expect((await server.call('POST', '/auth/refresh', cookies)).status).toBe(200)
  expect((await server.login({ email })).status).toBe(200)
  expect((await server.register()).status).toBe(201)
}

describe('an SQLite file that another process has locked', () => {
  test('answers writes with 503 while reads are served, and goes on as if nothing had been', async () => {
    const server = await startFreshAuth(sqlite, { mailer })
    const people = await peopleOf(server)
    const { writes, reads } = requests(server, people)
    const unlock = await lock(server.database)

    const started = performance.now()
    const slow = ask(writes)
    const { 'refresh with a forged token': forged, ...honest } = await ask(reads)
    expect(forged?.json.code).toBe('invalid_grant')
    for (const [name, answer] of Object.entries(honest)) expect(answer.status, name).toBe(200)
    expect(performance.now() - started, 'reads do not wait for writes').toBeLessThan(1000)

    expectUnavailable(await slow)
    expect(performance.now() - started, 'all at once, not one after another').toBeLessThan(5000)
    expect((await server.call('GET', '/healthz')).status).toBe(200)

    unlock()
    await expectHealed(server, people)
  })

  test('is waited for, when it is free again soon', async () => {
    const server = await startFreshAuth(sqlite)
    const people = await peopleOf(server)
    const unlock = await lock(server.database)
    const waiting = ask({
      register: () => server.register(),
      refresh: () => server.refresh(people.header.json),
    })
    setTimeout(unlock, 300)
    const { register, refresh } = await waiting
    expect([register?.status, refresh?.status]).toEqual([201, 200])
  })
})

describe('an SQLite file that is none', () => {
  test.each(['text', 'a header alone'])('answers 503, not ready, alive: %s', async (content) => {
    const database = await sqlite.open()
    atTheEnd(database.close)
    await writeFile(
      pathOf(database),
      content === 'text' ? 'hello '.repeat(1000) : 'SQLite format 3\0 and then nothing',
    )
    const server = await startAuth(database)
    await expect(server.auth.ready()).rejects.toThrow(StoreError)
    expectUnavailable(
      await ask({
        readyz: () => server.call('GET', '/readyz'),
        register: () => server.register(),
        login: () => server.login({ identifier: 'me' }),
        me: () => server.call('GET', '/auth/me', { token: 'a.b.c' }),
        jwks: () => server.call('GET', '/.well-known/jwks.json'),
      }),
    )
    expect((await server.call('GET', '/healthz')).status).toBe(200)
    expect((await server.call('GET', '/openapi.json')).status).toBe(200)
    expect((await server.call('GET', '/')).status).toBe(200)
  })

  test('but a folder answers 503 too', async () => {
    const database = await sqlite.open()
    atTheEnd(database.close)
    const server = await startAuth({ ...database, url: `sqlite:${pathOf(database).replace(/\/[^/]*$/, '')}` })
    expectUnavailable(await ask({ register: () => server.register() }))
  })
})

describe('a PostgreSQL that went away', () => {
  let database: TestDatabase
  let proxy: Awaited<ReturnType<typeof startTcpProxy>>
  beforeEach(async () => {
    database = await postgres.open()
    onTestFinished(database.close)
    const url = new URL(database.url)
    proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) })
    onTestFinished(proxy.cut)
  })
  const throughProxy = (parameters = ''): TestDatabase => {
    const url = new URL(database.url)
    url.hostname = '127.0.0.1'
    url.port = String(proxy.port)
    url.search = parameters
    return { ...database, url: url.href }
  }

  test('answers 503 everywhere, never 401, and serves everybody when it is back', async () => {
    const server = await startAuth(throughProxy(), { mailer })
    const people = await peopleOf(server)
    const { writes, reads } = requests(server, people)
    await proxy.cut()

    expectUnavailable(await ask({ ...writes, ...reads, readyz: () => server.call('GET', '/readyz') }))
    expect((await server.call('GET', '/healthz')).status).toBe(200)
    const keys = await server.call('GET', '/.well-known/jwks.json')
    expect([keys.status, keys.json.keys.length], 'the keys are known').toEqual([200, 1])

    await proxy.restore()
    await expectHealed(server, people)
  })

  test('before the first request is found when it comes', async () => {
    await proxy.cut()
    const server = await startAuth(throughProxy())
    await expect(server.auth.ready()).rejects.toThrow(StoreError)
    expectUnavailable(
      await ask({
        register: () => server.register(),
        readyz: () => server.call('GET', '/readyz'),
        jwks: () => server.call('GET', '/.well-known/jwks.json'),
      }),
    )
    await proxy.restore()
    expect((await server.register()).status).toBe(201)
    expect((await server.call('GET', '/readyz')).status).toBe(200)
  })

  test('without a word is given up on: later requests take new connections', async () => {
    const server = await startAuth(throughProxy('query_timeout=1000'))
    const people = await peopleOf(server)
    const { reads } = requests(server, people)
    await ask(reads)
    proxy.silence()
    const answers = await ask(reads)
    for (const [name, { status }] of Object.entries(answers)) expect([200, 401, 503], name).toContain(status)
    expect(Object.values(answers).some(({ status }) => status === 503)).toBe(true)
    expect(answers['me']?.status, 'never 401').not.toBe(401)

    // Also those that only the requests which write had.
    await expectHealed(server, people)
  })

  test('without a word holds up nobody who asks for the keys: those that are known are given', async () => {
    const server = await startAuth(throughProxy('query_timeout=600000'))
    const { json } = await server.register()
    const jwks = () => server.call('GET', '/.well-known/jwks.json')
    const known = await jwks()
    proxy.silence()
    server.clock.advance(599)
    for (const keys of [await jwks(), await jwks(), ...(await Promise.all([jwks(), jwks()]))])
      expect([keys.status, keys.text]).toEqual([200, known.text])
    const { kid = '' } = decodeUnverified(json.access_token).header
    expect(known.json.keys.map((key) => key['kid'])).toEqual([kid])
    await proxy.cut()
    await proxy.restore()
    await query(database, `update signing_keys set withdrawn_at = 1 where kid = '${kid}'`)
    server.clock.advance(3600)
    const [only, ...others] = (await jwks()).json.keys
    expect([only?.['kid'] !== kid, others]).toEqual([true, []])
  })

  test('but slow is waited for, after a quiet time: a key that was withdrawn meanwhile is not given again', async () => {
    const server = await startAuth(database)
    const { json } = await server.register()
    const { kid = '' } = decodeUnverified(json.access_token).header
    server.clock.advance(3600)
    const withdraw = `update signing_keys set withdrawn_at = 1 where kid = '${kid}'`
    let keys: Promise<Answer> | undefined
    await queryAround(database, `lock table signing_keys in access exclusive mode; ${withdraw}`, async () => {
      keys = server.call('GET', '/.well-known/jwks.json')
      await new Promise((resolve) => setTimeout(resolve, 600))
    })
    expect(JSON.stringify((await keys)?.json.keys)).not.toContain(kid)
  })

  test('for a moment, its connections killed under load: each answer is a success or 503', async () => {
    const server = await startAuth(database)
    const people = await peopleOf(server)
    const me = () => server.call('GET', '/auth/me', { token: people.header.json.access_token })
    await Promise.all(Array.from({ length: 20 }, me))

    const answers: Promise<Answer>[] = []
    for (let round = 0; round < 10; round++) {
      answers.push(...Array.from({ length: 10 }, me), server.login({ email: people.email }))
      if (round === 3) {
        answers.push(server.refresh(people.header.json, { attemptId: 'a'.repeat(22) }))
        await query(
          database,
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
        )
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    for (const answer of await Promise.all(answers)) expect([200, 503]).toContain(answer.status)
    await expectHealed(server, people)
  })

  test('for good answers 503', async () => {
    const server = await startAuth(database, { mailer })
    const people = await peopleOf(server)
    await database.close()
    const { writes, reads } = requests(server, people)
    expectUnavailable(await ask({ ...writes, ...reads }))
  })
})

/** Holds the write lock on a connection of its own until it is told to let go. */
async function lock(database: TestDatabase): Promise<() => void> {
  const { DatabaseSync } = await loadSqlite()
  const other = new DatabaseSync(pathOf(database))
  other.exec('begin exclusive')
  let held = true
  const unlock = () => {
    if (held) other.exec('rollback')
    if (held) other.close()
    held = false
  }
  onTestFinished(unlock)
  return unlock
}

describe.each(databases)('a server that is closed, on $name', (database) => {
  test.each([0, 1, 2, 3, 4, 6])(
    'under requests, after %i turns, answers each or says to come back, and loses nothing',
    async (turns) => {
      const { database: opened, auth, ...server } = await startFreshAuth(database)
      const people = await Promise.all(Array.from({ length: 4 }, () => server.register()))
      const attemptId = (index: number) => `attempt-${index}`.padEnd(22, '0')
      const answering = people.map(({ json }, index) => server.refresh(json, { attemptId: attemptId(index) }))
      for (let turn = 0; turn < turns; turn++) await nextTurn()
      await auth.close()
      const answers = await Promise.all(answering)

      const next = await startAuth(opened)
      for (const [index, { json }] of people.entries()) {
        const answer = answers[index]
        if (answer?.status !== 200) expectUnavailable({ refresh: answer as Answer })
        const again = await next.refresh(json, { attemptId: attemptId(index) })
        expect(again.status).toBe(200)
        if (answer?.status === 200) expect(again.json.refresh_token).toBe(answer.json.refresh_token)
      }
    },
  )
})
