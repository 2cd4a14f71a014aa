import { createGuard } from '@mapae/guard'
import { AuthError, createAuth } from '@mapae/server'
import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import {
  cookieField,
  PASSWORD,
  SECRET,
  someEmail,
  startFreshAuth,
  type TestAuth,
  URL_OF_AUTH,
} from './start-auth.ts'

const HOURS = 3600
const SAME_ORIGIN = { origin: URL_OF_AUTH }
const ACCESS = '__Host-mapae_access'

describe.each(databases)('"keep me logged in" turned off, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
  })
  const isSessionCookie = (cookie: string) => !/max-age|expires/i.test(cookie)

  test.each(['register', 'login'] as const)('at %s gives cookies that go with the browser', async (by) => {
    const email = someEmail()
    if (by === 'login') await server.register({ email })
    const answer = await server[by]({ email, remember: false, transport: 'cookie' })
    expect(answer.setCookies).toHaveLength(3)
    for (const cookie of answer.setCookies) {
      expect(cookie).toMatch(/; HttpOnly; SameSite=Lax; Secure$/)
      expect(isSessionCookie(cookie), cookie).toBe(true)
    }
    expect(answer.json.refresh_expires_in).toBe(12 * HOURS)

    server.clock.advance(600)
    const options = { cookies: answer.cookies, headers: SAME_ORIGIN }
    const renewed = await server.call('POST', '/auth/refresh', options)
    expect([renewed.status, renewed.json.refresh_expires_in]).toEqual([200, 12 * HOURS])
    expect(renewed.setCookies).toHaveLength(2)
    expect(renewed.setCookies.filter((cookie) => !isSessionCookie(cookie))).toEqual([])
  })

  test('is remembered by a repeated answer too', async () => {
    const { cookies } = await server.register({ remember: false, transport: 'cookie' })
    const options = { cookies, headers: { ...SAME_ORIGIN, 'idempotency-key': 'a'.repeat(22) } }
    await server.call('POST', '/auth/refresh', options)
    const again = await server.call('POST', '/auth/refresh', options)
    expect(again.status).toBe(200)
    expect(again.setCookies.filter((cookie) => !isSessionCookie(cookie))).toEqual([])
  })

  test('is remembered by a renewal inside an API request', async () => {
    const { cookies } = await server.register({ remember: false, transport: 'cookie' })
    const guard = createGuard({
      issuer: URL_OF_AUTH,
      keys: server.auth.keys,
      renew: server.auth.renew,
      clock: server.clock.now,
    })
    server.clock.advance(600)
    const fields: Readonly<Record<string, string>> = { ...SAME_ORIGIN, cookie: cookieField(cookies) }
    const decision = await guard.check({
      method: 'GET',
      url: '/api',
      header: (name) => fields[name],
    })
    expect(decision.type).toBe('admitted')
    const set = decision.headers.filter(([name]) => name === 'set-cookie').map(([, cookie]) => cookie)
    expect(set).toEqual([expect.stringMatching(new RegExp(`^${ACCESS}=`))])
    expect(set.every(isSessionCookie)).toBe(true)
  })

  test('ends the session after half a day without use, and not while it is used', async () => {
    let tokens = (await server.register({ remember: false })).json
    expect(tokens.refresh_expires_in).toBe(12 * HOURS)
    for (let times = 0; times < 4; times++) {
      server.clock.advance(11 * HOURS)
      const renewed = await server.refresh(tokens)
      expect([renewed.status, renewed.json.refresh_expires_in]).toEqual([200, 12 * HOURS])
      tokens = renewed.json
    }
    server.clock.advance(12 * HOURS)
    const late = await server.refresh(tokens)
    expect([late.status, late.json.end_reason]).toEqual([401, 'idle_expired'])
  })

  test('is of one session: another of the same account is remembered', async () => {
    const email = someEmail()
    await server.register({ email, remember: false })
    for (const body of [{}, { remember: true }]) {
      const kept = await server.login({ email, transport: 'cookie', ...body })
      for (const cookie of kept.setCookies) expect(cookie).toContain(`; Max-Age=${180 * 86_400};`)
      expect(kept.json.refresh_expires_in).toBe(30 * 86_400)
    }
  })

  test('is kept by the new session of a changed password', async () => {
    const { cookies } = await server.register({ remember: false, transport: 'cookie' })
    const body = { current_password: PASSWORD, new_password: 'another good password' }
    const changed = await server.call('POST', '/auth/password', { body, cookies, headers: SAME_ORIGIN })
    expect([changed.status, changed.json.refresh_expires_in]).toEqual([200, 12 * HOURS])
    expect(changed.setCookies).toHaveLength(3)
    expect(changed.setCookies.filter((cookie) => !isSessionCookie(cookie))).toEqual([])
  })

  test('keeps the short life awake inside API requests', async () => {
    const { cookies } = await server.register({ remember: false, transport: 'cookie' })
    const options = { cookies, headers: SAME_ORIGIN }
    for (let times = 0; times < 3; times++) {
      server.clock.advance(11 * HOURS)
      expect((await server.call('POST', '/auth/token', options)).status).toBe(200)
    }
  })

  test('is as long as the option says, and never longer than a remembered session', async () => {
    const own = await startFreshAuth(database, { unrememberedIdleLifetime: 900 })
    expect((await own.register({ remember: false })).json.refresh_expires_in).toBe(900)
    const short = await startFreshAuth(database, { sessionIdleLifetime: 600 })
    expect((await short.register({ remember: false })).json.refresh_expires_in).toBe(600)
  })

  test.each(['false', 0, null, {}])('is true or false, and not %j', async (remember) => {
    const answer = await server.register({ remember })
    expect([answer.status, answer.json.code]).toEqual([400, 'invalid_request'])
    expect(answer.json.errors[0]?.path).toBe('remember')
  })
})

test.each([
  { unrememberedIdleLifetime: 2_592_001 },
  { unrememberedIdleLifetime: 0 },
  { unrememberedIdleLifetime: 1.5 },
  { sessionIdleLifetime: 600, unrememberedIdleLifetime: 601 },
  { sessionsPerAccount: 0 },
  { sessionsPerAccount: 2.5 },
  { keepEndedSessions: -1 },
  { sweepInterval: -1 },
])('options that cannot be are refused at the start: %j', (options) => {
  const refused = Object.keys(options).at(-1) ?? ''
  const make = () =>
    createAuth({ url: URL_OF_AUTH, secret: SECRET, database: 'sqlite:/dev/null/x', ...options })
  expect(make).toThrow(AuthError)
  expect(make).toThrow(refused)
})
