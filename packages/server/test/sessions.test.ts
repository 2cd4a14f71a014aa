import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { readTables } from './read-database.ts'
import { type Answer, START, someEmail, startFreshAuth, type TestAuth, URL_OF_AUTH } from './start-auth.ts'

const UNKNOWN_SESSION = '0'.repeat(26)
const wholeHour = (seconds: number) => Math.floor(seconds / 3600) * 3600

describe.each(databases)('sessions, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
  })

  const me = (token: string) => server.call('GET', '/auth/me', { token })
  const list = (token: string) => server.call('GET', '/auth/sessions', { token })
  const endReasonOf = async (session: Answer) => {
    const { sessions = [] } = await readTables(server.database)
    return sessions.find((row) => row['id'] === session.json.session_id)?.['end_reason']
  }
  /** A person with as many sessions as asked for, a minute apart, the oldest first. */
  const person = async (logins: number) => {
    const email = someEmail()
    const sessions = [await server.register({ email })]
    while (sessions.length < logins) {
      server.clock.advance(60)
      sessions.push(await server.login({ email }))
    }
    return sessions.map((session) => session)
  }
  const three = async () => {
    const [first, second, third] = await person(3)
    if (!first || !second || !third) throw new Error('three sessions')
    return [first, second, third] as const
  }

  describe('who is asking', () => {
    test('is the user that the access token names', async () => {
      const registered = await server.register({ email: `Me-${someEmail()}`, name: '마패' })
      const answer = await me(registered.json.access_token)
      expect(answer.status).toBe(200)
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.json).toEqual({ user: registered.json.user })
      expect(answer.json.user).toEqual({
        id: expect.stringMatching(/^[A-Za-z0-9_-]{26}$/),
        name: '마패',
        email: expect.stringMatching(/^Me-person-/),
        email_verified: false,
        username: null,
        roles: [],
        scopes: [],
        created_at: Math.floor(server.clock.now() / 1000),
      })
    })

    test('is nobody without a token: 401 that names the scheme and no error', async () => {
      const answer = await server.call('GET', '/auth/me')
      expect([answer.status, answer.json.code]).toEqual([401, 'token_required'])
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer, DPoP algs="[^"]+"$/)
      const basic = await server.call('GET', '/auth/me', { headers: { authorization: 'Basic bWU6cHc=' } })
      expect(basic.json.code).toBe('token_required')
    })

    test('is told when the access token has expired, to the second', async () => {
      const { json } = await server.register()
      server.clock.advance(299)
      expect((await me(json.access_token)).status).toBe(200)
      server.clock.advance(1)
      const expired = await me(json.access_token)
      expect([expired.status, expired.json.code]).toEqual([401, 'invalid_token'])
      expect(expired.headers.get('www-authenticate')).toContain(
        `Bearer error="invalid_token", error_description="${expired.json.detail}", DPoP`,
      )
    })
  })

  describe('listed', () => {
    test('are the live ones of the account, newest first, with the one that asks marked', async () => {
      const stranger = await server.register()
      const [first, second, third] = await three()
      await server.call('POST', '/auth/logout', { token: second.json.access_token })

      const { json, headers } = await list(third.json.access_token)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(json.sessions.map(({ id, current }) => [id, current])).toEqual([
        [third.json.session_id, true],
        [first.json.session_id, false],
      ])
      expect(json.sessions.map(({ id }) => id)).not.toContain(stranger.json.session_id)
      expect(json.sessions[0]).toEqual({
        id: third.json.session_id,
        current: true,
        device: null,
        user_agent: null,
        network: null,
        place: null,
        created_at: wholeHour(third.json.server_time),
        last_used_at: wholeHour(third.json.server_time),
        expires_at: wholeHour(third.json.server_time + 30 * 86_400),
      })
    })

    test('tell when they were renewed, and leave out those that have run out', async () => {
      const [first, , third] = await three()
      server.clock.advance(29 * 86_400)
      const renewed = await server.refresh(third.json)
      expect(renewed.status).toBe(200)
      server.clock.advance(2 * 86_400)
      const again = await server.refresh(renewed.json)
      const { sessions } = (await list(again.json.access_token)).json
      expect(sessions.map(({ id }) => id)).toEqual([third.json.session_id])
      expect(sessions[0]?.last_used_at).toBe(wholeHour(again.json.server_time))
      const late = await server.refresh(first.json)
      expect([late.json.code, late.json.end_reason]).toEqual(['session_ended', 'idle_expired'])
    })
  })

  describe('ended from another one', () => {
    test('are refused at once, with the reason, and the others live on', async () => {
      const [first, second, third] = await three()
      const ended = await server.call('DELETE', `/auth/sessions/${first.json.session_id}`, {
        token: third.json.access_token,
      })
      expect([ended.status, ended.text]).toEqual([204, ''])

      const refused = [await me(first.json.access_token), await server.refresh(first.json)]
      for (const { status, json, headers } of refused) {
        expect([status, json.code, json.end_reason]).toEqual([401, 'session_ended', 'ended_by_user'])
        expect(headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/)
      }
      expect((await me(second.json.access_token)).status).toBe(200)
      expect((await server.refresh(second.json)).status).toBe(200)
      expect(await endReasonOf(first)).toBe('ended_by_user')
    })

    test('a second time is the same answer, and the first reason stays', async () => {
      const [first, second] = await three()
      await server.call('POST', '/auth/logout', { token: first.json.access_token })
      const again = await server.call('DELETE', `/auth/sessions/${first.json.session_id}`, {
        token: second.json.access_token,
      })
      expect(again.status).toBe(204)
      expect(await endReasonOf(first)).toBe('logout')
    })

    test('all at once are counted, and the one that asks stays', async () => {
      const [first, second, third] = await three()
      const stranger = await server.register()
      const answer = await server.call('DELETE', '/auth/sessions', { token: second.json.access_token })
      expect([answer.status, answer.json]).toEqual([200, { ended: 2 }])
      expect((await me(first.json.access_token)).json.end_reason).toBe('ended_by_user')
      expect((await me(third.json.access_token)).json.end_reason).toBe('ended_by_user')
      expect((await me(second.json.access_token)).status).toBe(200)
      expect((await me(stranger.json.access_token)).status).toBe(200)
      const again = await server.call('DELETE', '/auth/sessions', { token: second.json.access_token })
      expect(again.json).toEqual({ ended: 0 })
    })

    test('may be the one that asks', async () => {
      const [first] = await three()
      const token = first.json.access_token
      expect((await server.call('DELETE', `/auth/sessions/${first.json.session_id}`, { token })).status).toBe(
        204,
      )
      expect((await me(token)).json.code).toBe('session_ended')
    })
  })

  describe('ended by an administrator', () => {
    test('all of an account, says why, and leaves others alone', async () => {
      const email = someEmail()
      const mine = [(await server.register({ email })).json, (await server.login({ email })).json]
      const other = (await server.register()).json
      expect(await server.auth.api.as('ops').endSessions(mine[0]?.user.id ?? '')).toBe(2)
      for (const session of mine) {
        const { status, json } = await server.refresh(session)
        expect([status, json.code, json.end_reason]).toEqual([401, 'session_ended', 'ended_by_admin'])
        expect((await server.call('GET', '/auth/me', { token: session.access_token })).status).toBe(401)
      }
      expect((await server.refresh(other)).status).toBe(200)
      expect((await server.login({ email })).status, 'and may log in again').toBe(200)
      expect(await server.auth.api.endSessions('nobody')).toBe(0)
    })

    test('of everybody, however many accounts there are, each revoked and written down', async () => {
      const own = await startFreshAuth(database)
      const people = await Promise.all(Array.from({ length: 21 }, () => own.register()))
      const [first] = people
      const again = await own.login({ email: first?.json.user.email ?? '' })
      expect(await own.auth.api.as('ops').endAllSessions()).toBe(22)
      for (const { json } of [...people.slice(0, 2), again, ...people.slice(-2)])
        expect((await own.refresh(json)).json.end_reason).toBe('ended_by_admin')
      const { revocations, audit = [] } = await readTables(own.database)
      expect(revocations).toHaveLength(22)
      const ended = audit.filter(({ type }) => type === 'session.ended')
      expect([ended.length, new Set(ended.map(({ done_by }) => done_by))]).toEqual([22, new Set(['ops'])])
      expect(await own.auth.api.endAllSessions()).toBe(0)
    })
  })

  test("another person's session is a 404 like any that is not there, and lives on", async () => {
    const [mine, theirs] = [await server.register(), await server.register()]
    const answers = []
    for (const id of [
      theirs.json.session_id,
      UNKNOWN_SESSION,
      'x',
      '%00',
      "'--",
      '.',
      '%E0%A4%A',
      'a'.repeat(5000),
    ]) {
      answers.push(await server.call('DELETE', `/auth/sessions/${id}`, { token: mine.json.access_token }))
    }
    for (const answer of answers) expect([answer.status, answer.json.code]).toEqual([404, 'not_found'])
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1)
    expect((await me(theirs.json.access_token)).status).toBe(200)
  })

  test('that server code asks for by what is no id are not there, and fail nobody who asks at the same moment', async () => {
    const { json } = await server.register()
    const { api } = server.auth
    const [found, ended, renewed] = await Promise.all([
      api.findSession('no\0id'),
      api.endSession('no\0id'),
      server.refresh(json),
    ])
    expect([found, ended, renewed.status]).toEqual([undefined, false, 200])
  })

  describe('logout', () => {
    const logout = (options: Parameters<TestAuth['call']>[2]) => server.call('POST', '/auth/logout', options)

    test('by the access token ends the session, however often', async () => {
      const session = await server.register()
      const token = session.json.access_token
      expect([(await logout({ token })).status, (await logout({ token })).status]).toEqual([204, 204])
      expect((await me(token)).json.end_reason).toBe('logout')
      expect((await server.refresh(session.json)).json.end_reason).toBe('logout')
    })

    test('by the refresh token alone, of whatever generation, ends the session', async () => {
      const current = await server.register()
      expect((await logout({ body: { refresh_token: current.json.refresh_token } })).status).toBe(204)
      expect(await endReasonOf(current)).toBe('logout')

      const first = await server.register()
      const second = await server.refresh(first.json)
      await server.refresh(second.json)
      expect((await logout({ body: { refresh_token: first.json.refresh_token } })).status).toBe(204)
      expect(await endReasonOf(first)).toBe('logout')
    })

    test('by an expired access token and the refresh token ends the session', async () => {
      const session = await server.register()
      server.clock.advance(3600)
      const answer = await logout({
        token: session.json.access_token,
        body: { refresh_token: session.json.refresh_token },
      })
      expect(answer.status).toBe(204)
      expect(await endReasonOf(session)).toBe('logout')
    })

    test('by cookies ends the session', async () => {
      const session = await server.register({ transport: 'cookie' })
      const answer = await logout({ cookies: session.cookies, headers: { origin: URL_OF_AUTH } })
      expect(answer.status).toBe(204)
      expect(await endReasonOf(session)).toBe('logout')
    })

    test('by an expired access token alone ends nothing, and is 204 all the same', async () => {
      const session = await server.register()
      server.clock.advance(3600)
      expect((await logout({ token: session.json.access_token })).status).toBe(204)
      expect(await endReasonOf(session)).toBeNull()
    })

    test('of somebody who has nothing is 204', async () => {
      expect((await logout({})).status).toBe(204)
      expect((await logout({ body: { refresh_token: 'mrt_made.up' } })).status).toBe(204)
      expect((await logout({ token: 'no.token.atall' })).status).toBe(204)
    })

    test('ends no session by a forged or tampered token', async () => {
      const { json } = await server.register()
      const [head, body, signature] = json.access_token.split('.')
      await logout({ token: `${head}.${body}.${signature?.split('').reverse().join('')}` })
      await logout({ body: { refresh_token: `${json.refresh_token.slice(0, -3)}AAA` } })
      await logout({ body: { refresh_token: json.refresh_token.replace('.1.', '.2.') } })
      expect((await me(json.access_token)).status).toBe(200)
    })

    test('tells of itself once, with ids only', async () => {
      const own = await startFreshAuth(database)
      const { json } = await own.register()
      for (let times = 0; times < 3; times++)
        await own.call('POST', '/auth/logout', { token: json.access_token })
      expect(own.events.filter(({ type }) => type === 'session.ended')).toEqual([
        {
          type: 'session.ended',
          at: START,
          accountId: json.user.id,
          sessionId: json.session_id,
          detail: { reason: 'logout' },
        },
      ])
      const { revocations = [] } = await readTables(own.database)
      expect(revocations).toHaveLength(1)
    })
  })
})
