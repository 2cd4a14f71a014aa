import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { readTables } from './read-database.ts'
import { type Answer, PASSWORD, someEmail, startFreshAuth, type TestAuth } from './start-auth.ts'

const headers = { 'sec-fetch-site': 'same-origin' }
const REFRESH = '__Host-mapae_refresh'

describe.each(databases)('a login with the cookies of another session, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
  })
  const register = (cookies: Answer['cookies'] = {}) => server.register({}, { headers, cookies })
  const logIn = (email: string, cookies: Answer['cookies'], body: object = {}) =>
    server.login({ email, ...body }, { headers, cookies })
  const refresh = (cookies: Answer['cookies']) => server.call('POST', '/auth/refresh', { headers, cookies })
  const ended = [401, 'session_ended', 'replaced']
  const told = ({ status, json }: Answer) => [status, json.code, json.end_reason]

  test('ends that session, of whichever account, and a renewal that comes late sets no cookies', async () => {
    const [theirs, other] = [await register(), await register()]
    const mine = await logIn(other.json.user.email ?? '', theirs.cookies)
    expect(mine.status).toBe(200)
    const late = await refresh(theirs.cookies)
    expect(told(late)).toEqual(ended)
    expect(late.setCookies).toEqual([])
    expect(await refresh(mine.cookies)).toMatchObject({
      status: 200,
      json: { session_id: mine.json.session_id },
    })
    expect((await refresh(other.cookies)).status).toBe(200) // elsewhere
  })

  test('ends it however old its cookies are, revokes it, and writes that down', async () => {
    const first = await register()
    const second = await refresh(first.cookies)
    server.events.splice(0)
    const revocations = async () => (await readTables(server.database))['revocations']?.length ?? 0
    const before = await revocations()
    const next = await logIn(first.json.user.email ?? '', first.cookies)
    expect(next.status).toBe(200)
    expect(told(await refresh(second.cookies))).toEqual(ended)
    expect(server.events.filter(({ type }) => type === 'session.ended')).toEqual([
      {
        type: 'session.ended',
        at: server.clock.now(),
        accountId: first.json.user.id,
        sessionId: first.json.session_id,
        detail: { reason: 'replaced' },
      },
    ])
    const me = await server.call('GET', '/auth/me', { headers, cookies: first.cookies })
    expect(told(me)).toEqual(ended)
    expect(await revocations()).toBe(before + 1)
  })

  test('makes no room at the expense of a session elsewhere', async () => {
    const own = await startFreshAuth(database, { sessionsPerAccount: 2 })
    const elsewhere = (await own.register()).json
    const { email } = elsewhere.user
    own.clock.advance(60)
    let { cookies } = await own.login({ email }, { headers })
    for (let again = 0; again < 3; again++) ({ cookies } = await own.login({ email }, { headers, cookies }))
    expect((await own.refresh(elsewhere)).status).toBe(200)
  })

  test.each(['register', 'a mailed code'])('by %s does the same', async (way) => {
    const codes: string[] = []
    const own = await startFreshAuth(database, {
      ...(way !== 'register' && { registration: 'verify-first' as const }),
      mailer: async ({ text }) => void codes.push(/code=([\w-]+)/.exec(text)?.[1] ?? ''),
    })
    const email = someEmail()
    await own.auth.api.createUser({ email, password: PASSWORD })
    const { cookies } = await own.login({ email }, { headers })
    if (way === 'register') await own.register({}, { headers, cookies })
    else {
      await own.call('POST', '/auth/register', { headers, body: { email: someEmail() } })
      await expect.poll(() => codes.length).toBe(1)
      const body = { code: codes[0], password: PASSWORD }
      expect((await own.call('POST', '/auth/register/complete', { headers, cookies, body })).status).toBe(201)
    }
    const late = await own.call('POST', '/auth/refresh', { headers, cookies })
    expect(told(late)).toEqual(ended)
  })

  test('ends nothing when it is refused, when it is delivered otherwise, or when the cookie proves nothing', async () => {
    const { cookies, json } = await register()
    const email = json.user.email ?? ''
    expect((await logIn(email, cookies, { password: 'not the password' })).status).toBe(401)
    expect((await logIn(email, cookies, { transport: 'header' })).status).toBe(200)
    const token = cookies[REFRESH] ?? ''
    const forged = { ...cookies, [REFRESH]: token.replace(/.{43}$/, 'A'.repeat(43)) }
    expect((await logIn(email, forged)).status).toBe(200)
    const twice = { ...headers, cookie: `${REFRESH}=${token}; ${REFRESH}=${token}` }
    expect((await server.login({ email }, { headers: twice })).status).toBe(200)
    expect((await refresh(cookies)).status).toBe(200)
  })

  test('five times at once opens five, and ends it once', async () => {
    const { cookies, json } = await register()
    server.events.splice(0)
    const logins = await Promise.all(Array.from({ length: 5 }, () => logIn(json.user.email ?? '', cookies)))
    expect(logins.map(({ status }) => status)).toEqual(Array(5).fill(200))
    expect(server.events.filter(({ type }) => type === 'session.ended')).toHaveLength(1)
  })
})
