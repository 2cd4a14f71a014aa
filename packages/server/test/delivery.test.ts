import { decodeUnverified } from '@mapae/jwt'
import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import {
  cookieField,
  PASSWORD,
  START,
  someEmail,
  startFreshAuth,
  type TestAuth,
  URL_OF_AUTH,
} from './start-auth.ts'

const ACCESS = '__Host-mapae_access'
const REFRESH = '__Host-mapae_refresh'
const DEVICE = '__Host-mapae_device'
const THIRTY_DAYS = 30 * 86_400
const LONGEST_SESSION = 180 * 86_400
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' }

describe.each(databases)('delivery, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
  })

  const inCookies = (body: Record<string, unknown> = {}) => server.register(body, { headers: SAME_ORIGIN })

  describe('by header', () => {
    test.each(['register', 'login', 'refresh'] as const)(
      '%s answers with both tokens in the body, by the names of RFC 6749',
      async (endpoint) => {
        const email = someEmail()
        const registered = await server.register({ email })
        const answer =
          endpoint === 'register'
            ? registered
            : endpoint === 'login'
              ? await server.login({ email })
              : await server.refresh(registered.json)

        expect(answer.status).toBe(endpoint === 'register' ? 201 : 200)
        expect(answer.json).toEqual({
          ...(endpoint !== 'refresh' && {
            user: registered.json.user,
            device_token: expect.stringMatching(/^mdt_[\w-]{6}\.[\w-]+\.[\w-]{43}$/),
          }),
          access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
          refresh_token: expect.stringMatching(/^mrt_[\w-]{6}\.[\w-]{26}\.[12]\.[\w-]{43}$/),
          token_type: 'Bearer',
          expires_in: 300,
          refresh_expires_in: THIRTY_DAYS,
          session_id: expect.stringMatching(/^[\w-]{26}$/),
          server_time: START / 1000,
        })
        expect(answer.headers.get('authorization')).toBe(`Bearer ${answer.json.access_token}`)
        expect(answer.headers.get('cache-control')).toBe('no-store')
        expect(answer.setCookies).toEqual([])
      },
    )

    test('the access token says what RFC 9068 asks for, and nothing about the person', async () => {
      const { json } = await server.register({ name: 'Chunhyang' })
      const { header, claims } = decodeUnverified(json.access_token)
      expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) })
      expect(claims).toEqual({
        iss: URL_OF_AUTH,
        aud: URL_OF_AUTH,
        sub: json.user.id,
        client_id: 'first-party',
        sid: json.session_id,
        epoch: 0,
        jti: expect.stringMatching(/^[\w-]{22}$/),
        iat: START / 1000,
        exp: START / 1000 + 300,
        auth_time: START / 1000,
        amr: ['pwd'],
      })
    })
  })

  describe('by cookie', () => {
    test('both tokens are in HttpOnly cookies of this host, and nowhere else in the answer', async () => {
      const answer = await inCookies()
      expect(answer.status).toBe(201)
      expect(Object.keys(answer.cookies)).toEqual([ACCESS, REFRESH, DEVICE])
      for (const cookie of answer.setCookies) {
        const [, ...attributes] = cookie.split('; ')
        expect(attributes.sort()).toEqual([
          'HttpOnly',
          `Max-Age=${LONGEST_SESSION}`,
          'Path=/',
          'SameSite=Lax',
          'Secure',
        ])
      }
      expect(Object.keys(answer.json).sort()).toEqual([
        'expires_in',
        'refresh_expires_in',
        'server_time',
        'session_id',
        'token_type',
        'user',
      ])
      expect(answer.headers.get('authorization')).toBeNull()
      expect(answer.headers.get('cache-control')).toBe('no-store')
      for (const token of Object.values(answer.cookies)) expect(answer.text).not.toContain(token)
    })

    test('the cookies are served, and renewed by cookies', async () => {
      const { cookies } = await inCookies()
      expect((await server.call('GET', '/auth/me', { cookies, headers: SAME_ORIGIN })).status).toBe(200)

      const renewed = await server.call('POST', '/auth/refresh', { cookies, headers: SAME_ORIGIN })
      expect(renewed.status).toBe(200)
      expect(Object.keys(renewed.cookies)).toEqual([ACCESS, REFRESH])
      expect(renewed.cookies[REFRESH]).not.toBe(cookies[REFRESH])
      expect(renewed.headers.get('authorization')).toBeNull()
      expect(renewed.json).not.toHaveProperty('access_token')
      expect(renewed.json).not.toHaveProperty('refresh_token')
      const me = { cookies: renewed.cookies, headers: SAME_ORIGIN }
      expect((await server.call('GET', '/auth/me', me)).status).toBe(200)
    })

    test('the access cookie outlives the token in it, so that step 12 can send both', async () => {
      const own = await startFreshAuth(database)
      const { cookies, json } = await own.register({}, { headers: SAME_ORIGIN })
      expect(
        Number(
          /Max-Age=(\d+)/.exec((await own.register({}, { headers: SAME_ORIGIN })).setCookies[0] ?? '')?.[1],
        ),
      ).toBeGreaterThan(json.expires_in)
      own.clock.advance(3600)
      const expired = await own.call('GET', '/auth/me', { cookies, headers: SAME_ORIGIN })
      expect([expired.status, expired.json.code]).toEqual([401, 'invalid_token'])
      expect((await own.call('POST', '/auth/refresh', { cookies, headers: SAME_ORIGIN })).status).toBe(200)
    })

    test('the cookies outlive the idle end, which moves out with each use, and tell of one that has passed', async () => {
      const own = await startFreshAuth(database, { sessionLifetime: 5000, sessionIdleLifetime: 900 })
      const { cookies, setCookies } = await own.register({}, { headers: SAME_ORIGIN })
      expect(setCookies.map((cookie) => /Max-Age=(\d+)/.exec(cookie)?.[1])).toEqual([
        '5000',
        '5000',
        String(180 * 86_400),
      ])
      // A page that is only ever renewed inline: no refresh cookie is set again.
      const header = (name: string) => ({ cookie: cookieField(cookies) })[name]
      for (let visit = 0; visit < 3; visit++) {
        own.clock.advance(800)
        expect(await own.auth.renew({ method: 'GET', header })).toMatchObject({ type: 'renewed' })
      }
      own.clock.advance(900)
      const late = await own.call('POST', '/auth/refresh', { cookies, headers: SAME_ORIGIN })
      expect(late.json.end_reason).toBe('idle_expired')
    })

    test('an answer says when the session ends for want of use, or at last', async () => {
      const own = await startFreshAuth(database, { sessionLifetime: 1000, sessionIdleLifetime: 900 })
      const { cookies } = await own.register({}, { headers: SAME_ORIGIN })
      own.clock.advance(800)
      const renewed = await own.call('POST', '/auth/refresh', { cookies, headers: SAME_ORIGIN })
      expect([renewed.json.refresh_expires_in, renewed.json.expires_in]).toEqual([200, 200])
    })

    test('logout takes both cookies back, with the attributes that they were set with', async () => {
      const { cookies } = await inCookies()
      const logout = await server.call('POST', '/auth/logout', { cookies, headers: SAME_ORIGIN })
      expect(logout.status).toBe(204)
      expect(logout.setCookies).toEqual(
        [ACCESS, REFRESH].map((name) => `${name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure`),
      )
    })

    test('a refusal never touches a cookie', async () => {
      const own = await startFreshAuth(database)
      const { cookies } = await own.register({}, { headers: SAME_ORIGIN })
      const forged = { [ACCESS]: `${cookies[ACCESS]?.slice(0, -4)}AAAA`, [REFRESH]: cookies[REFRESH] ?? '' }
      const garbled = { [ACCESS]: 'x', [REFRESH]: 'y' }
      const refused = []
      for (const sent of [forged, garbled]) {
        for (const [method, path] of [
          ['GET', '/auth/me'],
          ['GET', '/auth/sessions'],
          ['DELETE', '/auth/sessions'],
          ['POST', '/auth/refresh'],
          ['POST', '/auth/token'],
        ] as const) {
          refused.push(await own.call(method, path, { cookies: sent, headers: SAME_ORIGIN }))
          refused.push(await own.call(method, path, { cookies: sent }))
        }
      }
      own.clock.advance(THIRTY_DAYS + 1)
      refused.push(await own.call('GET', '/auth/me', { cookies, headers: SAME_ORIGIN }))
      const ended = await own.call('POST', '/auth/refresh', { cookies, headers: SAME_ORIGIN })
      expect([ended.status, ended.json.code, ended.json.end_reason]).toEqual([
        401,
        'session_ended',
        'idle_expired',
      ])
      for (const answer of [...refused, ended]) {
        expect([401, 403]).toContain(answer.status)
        expect(answer.setCookies).toEqual([])
      }
    })

    test('a token in the Authorization field wins over the cookie', async () => {
      const own = await inCookies()
      const other = await server.register()
      const me = await server.call('GET', '/auth/me', {
        cookies: own.cookies,
        headers: SAME_ORIGIN,
        token: other.json.access_token,
      })
      expect(me.json.user.id).toBe(other.json.user.id)
    })
  })

  describe('by default', () => {
    test.each([
      { says: 'nothing', headers: {}, by: 'header' },
      { says: 'Sec-Fetch-Site', headers: SAME_ORIGIN, by: 'cookie' },
      { says: 'Origin', headers: { origin: URL_OF_AUTH }, by: 'cookie' },
    ])('a login whose headers say $says is delivered by $by', async ({ headers, by }) => {
      const email = someEmail()
      const answers = [
        await server.register({ email }, { headers }),
        await server.login({ email }, { headers }),
      ]
      for (const answer of answers) expect(answer.setCookies.length).toBe(by === 'cookie' ? 3 : 0)
    })

    test.each([
      { transport: 'header', headers: SAME_ORIGIN, cookies: 0 },
      { transport: 'cookie', headers: {}, cookies: 3 },
    ])('transport: $transport overrides what the headers say', async ({ transport, headers, cookies }) => {
      const email = someEmail()
      const registered = await server.register({ email, transport }, { headers })
      expect(registered.setCookies).toHaveLength(cookies)
      const login = await server.login({ email, transport }, { headers })
      expect(login.setCookies).toHaveLength(cookies)
      expect('access_token' in login.json).toBe(cookies === 0)
    })

    test('another transport is refused', async () => {
      const answer = await server.register({ transport: 'carrier-pigeon' })
      expect([answer.status, answer.json.code, answer.json.errors[0]?.path]).toEqual([
        400,
        'invalid_request',
        'transport',
      ])
    })
  })

  describe('an access token for the memory of a page', () => {
    test('is given for both cookies, without spending a generation', async () => {
      const { cookies, json } = await inCookies()
      const first = await server.call('POST', '/auth/token', { cookies, headers: SAME_ORIGIN })
      const second = await server.call('POST', '/auth/token', { cookies, headers: SAME_ORIGIN })
      for (const answer of [first, second]) {
        expect(answer.status).toBe(200)
        expect(answer.headers.get('cache-control')).toBe('no-store')
        expect(answer.setCookies).toEqual([])
        expect(answer.json).toEqual({
          access_token: expect.any(String),
          token_type: 'Bearer',
          expires_in: 300,
          session_id: json.session_id,
          server_time: START / 1000,
        })
      }
      const me = await server.call('GET', '/auth/me', { token: second.json.access_token })
      expect(me.json.user).toEqual(json.user)
      const renewed = await server.call('POST', '/auth/refresh', { cookies, headers: SAME_ORIGIN })
      expect(renewed.cookies[REFRESH]).toMatch(/\.2\.[\w-]{43}$/)
    })

    test('is given after the answer to a renewal got lost, however late, and no generation is spent', async () => {
      const own = await startFreshAuth(database)
      const { cookies } = await own.register({}, { headers: SAME_ORIGIN })
      const lost = (attempt: string) => ({
        cookies,
        headers: { ...SAME_ORIGIN, 'idempotency-key': attempt.padEnd(22, '0') },
      })
      expect((await own.call('POST', '/auth/refresh', lost('mine'))).status).toBe(200)
      own.clock.advance(20 * 86_400)
      own.events.splice(0)
      for (let time = 0; time < 3; time++) {
        const lent = await own.call('POST', '/auth/token', { cookies, headers: SAME_ORIGIN })
        expect([lent.status, lent.setCookies]).toEqual([200, []])
        const me = await own.call('GET', '/auth/me', { token: lent.json.access_token })
        expect(me.status).toBe(200)
      }
      expect(own.events.map(({ type }) => type)).toContain('session.stale_inline_renewal')
      // The page that made the attempt gets its cookies, and from then on they alone are good.
      const healed = await own.call('POST', '/auth/refresh', lost('mine'))
      expect(healed.cookies[REFRESH]).toMatch(/\.2\.[\w-]{43}$/)
      const next = await own.call('POST', '/auth/refresh', { cookies: healed.cookies, headers: SAME_ORIGIN })
      expect(next.status).toBe(200)
      const twoBack = await own.call('POST', '/auth/token', { cookies, headers: SAME_ORIGIN })
      expect([twoBack.status, twoBack.json.code]).toEqual([401, 'refresh_superseded'])
      expect(own.events.map(({ type }) => type)).not.toContain('session.reuse_detected')
    })

    test('keeps no session awake where the cookies came late: a copy does not outlive the last use of the owner', async () => {
      const own = await startFreshAuth(database)
      const { cookies: copy } = await own.register({ remember: false }, { headers: SAME_ORIGIN })
      await own.call('POST', '/auth/refresh', { cookies: copy, headers: SAME_ORIGIN })
      const lend = () => own.call('POST', '/auth/token', { cookies: copy, headers: SAME_ORIGIN })
      own.clock.advance(6 * 3600)
      expect((await lend()).status).toBe(200)
      own.clock.advance(6 * 3600 + 1)
      const { status, json } = await lend()
      expect([status, json.code, json.end_reason]).toEqual([401, 'session_ended', 'idle_expired'])
    })

    test('is had with a copy of the cookies until the owner has renewed twice, and spending the copy ends the session', async () => {
      for (const isGreedy of [false, true]) {
        const own = await startFreshAuth(database)
        const { cookies: copy } = await own.register({}, { headers: SAME_ORIGIN })
        const renew = (cookies: typeof copy) =>
          own.call('POST', '/auth/refresh', { cookies, headers: SAME_ORIGIN })
        const lend = (cookies: typeof copy) =>
          own.call('POST', '/auth/token', { cookies, headers: SAME_ORIGIN })
        const { cookies: mine } = await renew(copy)
        own.clock.advance(31)
        expect((await lend(copy)).status).toBe(200)
        expect(own.events.map(({ type }) => type)).toContain('session.stale_inline_renewal')
        if (isGreedy) {
          expect((await renew(copy)).json.end_reason).toBe('refresh_token_reuse')
          expect((await lend(copy)).json.end_reason).toBe('refresh_token_reuse')
        } else {
          const { cookies: next } = await renew(mine)
          expect((await lend(copy)).json.code).toBe('refresh_superseded')
          expect((await lend(next)).status).toBe(200)
        }
      }
    })

    test('is not given for the refresh token before the current one, late, where the device keeps its tokens', async () => {
      const own = await startFreshAuth(database)
      const { json } = await own.register()
      expect((await own.refresh(json)).status).toBe(200)
      own.clock.advance(31)
      const cookies = { [ACCESS]: json.access_token, [REFRESH]: json.refresh_token }
      const answer = await own.call('POST', '/auth/token', { cookies, headers: SAME_ORIGIN })
      expect([answer.status, answer.json.code]).toEqual([401, 'refresh_superseded'])
    })

    test('is not given for a refresh token in the body', async () => {
      const { json } = await server.register()
      const answer = await server.call('POST', '/auth/token', {
        token: json.access_token,
        body: { refresh_token: json.refresh_token },
      })
      expect([answer.status, answer.json.code]).toEqual([400, 'refresh_token_required'])
    })
  })
})

describe.each(databases)('cookie names, on $name', (database) => {
  test.each([
    { url: 'http://localhost:4000', names: ['mapae_access_4000', 'mapae_refresh_4000', 'mapae_device_4000'] },
    { url: 'http://127.0.0.1:8080', names: ['mapae_access_8080', 'mapae_refresh_8080', 'mapae_device_8080'] },
    { url: 'http://localhost', names: ['mapae_access_80', 'mapae_refresh_80', 'mapae_device_80'] },
    { url: 'https://localhost:4000', names: [ACCESS, REFRESH, DEVICE] },
  ])('at $url are $names, whatever the request says of its host', async ({ url, names }) => {
    const server = await startFreshAuth(database, { url })
    const answer = await server.call('POST', 'http://localhost:9999/auth/register', {
      body: { email: someEmail(), password: PASSWORD },
      headers: { origin: url, host: 'localhost:9999', 'x-forwarded-host': 'evil.example' },
    })
    expect(answer.status).toBe(201)
    expect(Object.keys(answer.cookies)).toEqual(names)
    for (const cookie of answer.setCookies) {
      expect(/; Secure/.test(cookie)).toBe(url.startsWith('https:'))
      expect(cookie).not.toMatch(/domain/i)
    }
    const me = { cookies: answer.cookies, headers: { origin: url } }
    expect((await server.call('GET', '/auth/me', me)).status).toBe(200)
  })

  test('dangerouslyAllowHttp serves plain cookies on another host', async () => {
    const server = await startFreshAuth(database, { url: 'http://box.lan:4000', dangerouslyAllowHttp: true })
    const answer = await server.register({ transport: 'cookie' })
    expect(Object.keys(answer.cookies)).toEqual(['mapae_access', 'mapae_refresh', 'mapae_device'])
    expect(answer.setCookies.join()).not.toContain('Secure')
  })

  test('dangerousCookieDomain shares them with sub-domains, and gives the __Host- prefix up', async () => {
    const server = await startFreshAuth(database, { dangerousCookieDomain: 'example.com' })
    const answer = await server.register({ transport: 'cookie' })
    expect(Object.keys(answer.cookies)).toEqual([
      '__Secure-mapae_access',
      '__Secure-mapae_refresh',
      '__Secure-mapae_device',
    ])
    const logout = await server.call('POST', '/auth/logout', {
      cookies: answer.cookies,
      headers: { origin: URL_OF_AUTH },
    })
    for (const cookie of [...answer.setCookies, ...logout.setCookies]) {
      expect(cookie).toContain('; Secure; Domain=example.com')
    }
  })
})
