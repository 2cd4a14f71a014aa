import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { startBoundClient } from './bound-client.ts'
import { startMailingAuth } from './mailbox.ts'
import { readEverything, readTables } from './read-database.ts'
import {
  type Answer,
  type CallOptions,
  PASSWORD,
  someEmail,
  startFreshAuth,
  type TestAuth,
} from './start-auth.ts'

const WINDOWS =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36'
const NEWER_WINDOWS = WINDOWS.replace('131.0.0.0', '132.0.0.0')
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1'
const HOME = '203.0.113.9'
const CAFE = '198.51.100.7'
const DAY = 86_400
const UNKNOWN_SESSION = '0'.repeat(26)

type Session = Pick<Answer['json'], 'access_token' | 'refresh_token' | 'session_id'>

const from = (address: string, agent = WINDOWS): CallOptions => ({
  address,
  headers: { 'user-agent': agent },
})

describe.each(databases)('time lines, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database, { sessionsPerAccount: 4 })
  })

  const show = (asking: Session, sid = asking.session_id, on = server) =>
    on.call('GET', `/auth/sessions/${sid}`, { token: asking.access_token })
  const timeline = async (asking: Session, sid?: string, on?: TestAuth) =>
    (await show(asking, sid, on)).json.timeline
  const list = async (asking: Session, on = server) =>
    (await on.call('GET', '/auth/sessions', { token: asking.access_token })).json
  const moves = (entries: Answer['json']['timeline']) =>
    entries.filter(({ event }) => event === 'session.moved')
  const two = async (options = from(HOME)) => {
    const email = someEmail()
    const first = (await server.register({ email }, options)).json
    return { email, first, second: (await server.login({ email }, options)).json }
  }

  describe('where a session is used from', () => {
    test('is told when it is new, with the device in words, and never when it is not', async () => {
      let { json } = await server.register({}, from(HOME))
      const renew = async (options: CallOptions) => {
        json = (await server.refresh(json, options)).json
        return moves(await timeline(json))
      }
      expect(await renew(from(HOME))).toEqual([])
      expect(await renew(from('203.0.113.200', NEWER_WINDOWS)), 'the same network and browser').toEqual([])
      expect(await renew(from(CAFE))).toMatchObject([
        { actor: 'self', network: '198.51.100.0/24', device: 'Chrome on Windows' },
      ])
      expect(await renew(from(HOME)), 'home again').toHaveLength(1)
      expect((await list(json)).sessions[0]).toMatchObject({ network: '203.0.113.0/24' })
      expect(await renew(from(HOME, IPHONE))).toMatchObject([
        { network: '198.51.100.0/24' },
        { network: '203.0.113.0/24', device: 'Safari on iPhone' },
      ])
      expect((await list(json)).sessions[0]).toMatchObject({ device: 'Safari on iPhone', user_agent: IPHONE })
    })

    test('costs an ordinary renewal nothing: it changes the row of the session and no other', async () => {
      const own = await startFreshAuth(database)
      const { json } = await own.register({}, from(HOME))
      const { sessions: _, ...before } = await readTables(own.database)
      await own.refresh(json, from(HOME))
      const { sessions, ...after } = await readTables(own.database)
      expect(after).toEqual(before)
      expect(sessions).toHaveLength(1)
    })

    test('is not known by a request that tells no network', async () => {
      const { json } = await server.register({}, from(HOME))
      const renewed = (await server.refresh(json, { headers: { 'user-agent': WINDOWS } })).json
      expect(moves(await timeline(renewed))).toEqual([])
      expect((await list(renewed)).sessions[0]).toMatchObject({ network: '203.0.113.0/24' })
    })

    test('is written down 20 times a day at most, and kept beside the session each time', async () => {
      let { json } = await server.register({}, from(HOME))
      const jump = async (to: number) => {
        json = (await server.refresh(json, from(`10.0.${to}.1`))).json
      }
      for (let to = 0; to < 25; to++) await jump(to)
      expect(moves(await timeline(json))).toHaveLength(20)
      expect((await list(json)).sessions[0]?.network).toBe('10.0.24.0/24')
      server.clock.advance(DAY + 1)
      await jump(100)
      expect(moves(await timeline(json))).toHaveLength(21)
    })

    test('is noticed inside API requests and for bound sessions too', async () => {
      const own = await startFreshAuth(database, { trustProxy: 1 })
      const { json } = await own.register({}, { headers: { 'x-forwarded-for': HOME } })
      const sent: Readonly<Record<string, string>> = {
        authorization: `Bearer ${json.access_token}`,
        'mapae-refresh-token': json.refresh_token,
        'x-forwarded-for': CAFE,
      }
      const header = (name: string) => sent[name.toLowerCase()]
      expect(await own.auth.renew({ method: 'GET', header })).toMatchObject({
        type: 'renewed',
      })
      expect(moves(await timeline(json, undefined, own))).toMatchObject([{ network: '198.51.100.0/24' }])

      const bound = await startBoundClient(own)
      const opened = (await bound.register()).json
      const renewed = await bound.refresh(opened, { headers: { 'x-forwarded-for': CAFE } })
      expect(renewed.status).toBe(200)
      expect(own.events.filter(({ type }) => type === 'session.moved').at(-1)).toMatchObject({
        sessionId: opened.session_id,
      })
    })

    test.each([
      [WINDOWS, 'Chrome on Windows'],
      [WINDOWS.replace('Safari/537.36', 'Safari/537.36 Edg/131.0.0.0'), 'Edge on Windows'],
      [WINDOWS.replace('Safari/537.36', 'Whale/4.29.0.0 Safari/537.36'), 'Whale on Windows'],
      [IPHONE, 'Safari on iPhone'],
      [IPHONE.replace('Version/18.1', 'CriOS/131.0'), 'Chrome on iPhone'],
      [IPHONE.replace('Version/18.1 Mobile/15E148 Safari/604.1', 'Mobile/15E148'), 'iPhone'],
      [IPHONE.replace('Version/18.1', 'KAKAOTALK 25.1'), 'KakaoTalk on iPhone'],
      [
        'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
        'Safari on Mac',
      ],
      ['Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0', 'Firefox on Linux'],
      [
        'Mozilla/5.0 (Linux; Android 14; SM-S928N) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36',
        'Samsung Internet on Android',
      ],
      [
        'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
        'Chrome on ChromeOS',
      ],
      ['curl/8.5.0', null],
      ['\u00a0<script>', null],
    ])('of %s is said in words: %s', async (agent, device) => {
      const { json } = await server.register({}, from(HOME, agent))
      expect((await list(json)).sessions[0]).toMatchObject({ device, user_agent: agent })
    })
  })

  describe('what happened to a session', () => {
    test('begins with its opening; every time is a whole hour', async () => {
      server.clock.advance(1234)
      const { first, second } = await two()
      await server.call('POST', '/auth/logout', { token: first.access_token })
      server.clock.advance(2345)
      const renewed = (await server.refresh(second, from(CAFE, IPHONE))).json
      const { sessions, ended_sessions } = await list(renewed)
      const { session, timeline: entries } = JSON.parse((await show(renewed)).text)
      expect(entries).toEqual([
        {
          at: expect.any(Number),
          event: 'login.succeeded',
          actor: 'self',
          device: 'Chrome on Windows',
          network: '203.0.113.0/24',
          place: null,
        },
        {
          at: expect.any(Number),
          event: 'session.moved',
          actor: 'self',
          device: 'Safari on iPhone',
          network: '198.51.100.0/24',
          place: null,
        },
      ])
      expect(session).toEqual(sessions[0])
      expect(ended_sessions).toMatchObject([{ id: first.session_id, current: false, end_reason: 'logout' }])
      const text = JSON.stringify([session, entries, sessions, ended_sessions])
      const times = [...text.matchAll(/"(?:\w+_)?at":(\d+)/g)].map(([, time]) => Number(time))
      expect(times.length).toBeGreaterThan(10)
      for (const time of times) expect(time % 3600, `${time}`).toBe(0)
    })

    test('tells of lost answers, shared lines and refused tokens, without generations', async () => {
      let { json } = await server.register({}, from(HOME))
      for (let renewal = 0; renewal < 3; renewal++) {
        const next = (await server.refresh(json, from(HOME))).json
        await server.refresh(json, from(CAFE))
        json = next
      }
      const other = (await server.register()).json
      await server.refresh({ ...json, access_token: other.access_token }, from(CAFE))
      const entries = await timeline(json)
      expect(entries.map(({ event }) => event)).toEqual([
        'login.succeeded',
        'session.fetched_without_attempt',
        'session.moved',
        'session.fetched_without_attempt',
        'session.fetched_without_attempt',
        'session.line_shared',
        'session.access_token_mismatch',
      ])
      expect(entries.at(-1)).toMatchObject({ actor: 'someone', network: '198.51.100.0/24' })
      expect(JSON.stringify(entries)).not.toMatch(/generation|detail|presented/)
    })

    test('tells of a thief: from where the old token came', async () => {
      const { first, second } = await two()
      const renewed = (await server.refresh(second, from(HOME))).json
      await server.refresh(renewed, from(HOME))
      const theft = await server.refresh(second, from('192.0.2.66', 'curl/8.5.0'))
      expect(theft.json).toMatchObject({
        code: 'session_ended',
        end_reason: 'refresh_token_reuse',
        detail: expect.stringContaining('somebody else may have had a copy'),
      })
      const thief = { actor: 'someone', network: '192.0.2.0/24', device: null }
      expect((await timeline(first, second.session_id)).slice(-2)).toMatchObject([
        { event: 'session.reuse_detected', ...thief },
        { event: 'session.ended', end_reason: 'refresh_token_reuse', ...thief },
      ])
    })

    test('tells of what a thief repeats 20 times a day at most, so that nothing is buried under it', async () => {
      const { json } = await server.register({}, from(HOME))
      const other = (await server.register()).json
      const theft = () => server.refresh({ ...json, access_token: other.access_token }, from(CAFE))
      const heard = server.events.length
      await Promise.all(Array.from({ length: 10 }, theft))
      for (let more = 0; more < 30; more++) expect((await theft()).json.code).toBe('invalid_token')
      expect(server.events.slice(heard).map(({ type }) => type)).toEqual(
        Array.from({ length: 40 }, () => 'session.access_token_mismatch'),
      )
      expect((await timeline(json)).map(({ event }) => event)).toEqual([
        'login.succeeded',
        ...Array.from({ length: 20 }, () => 'session.access_token_mismatch'),
      ])
      server.clock.advance(DAY)
      await theft()
      expect((await server.auth.api.findSession(json.session_id))?.audit).toHaveLength(22)
    })

    test("is nobody else's business: a 404 like any session that is not there", async () => {
      const [mine, theirs] = [(await server.register()).json, (await server.register()).json]
      const answers = []
      for (const id of [theirs.session_id, UNKNOWN_SESSION, 'x', '%00', "'--", 'a'.repeat(5000)])
        answers.push(await show(mine, id))
      for (const { status, json } of answers) expect([status, json.code]).toEqual([404, 'not_found'])
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
      const nobody = await server.call('GET', `/auth/sessions/${mine.session_id}`)
      expect([nobody.status, nobody.json.code]).toEqual([401, 'token_required'])
    })
  })

  describe('the end of a session', () => {
    type Story = (its: { email: string; first: Session; second: Session }) => Promise<unknown>
    const stories: readonly (readonly [reason: string, actor: string, story: Story])[] = [
      [
        'logout',
        'self',
        ({ second }) => server.call('POST', '/auth/logout', { token: second.access_token, ...from(CAFE) }),
      ],
      [
        'ended_by_user',
        'self',
        ({ first, second }) =>
          server.call('DELETE', `/auth/sessions/${second.session_id}`, {
            token: first.access_token,
            ...from(CAFE),
          }),
      ],
      [
        'ended_by_user',
        'self',
        ({ first }) => server.call('DELETE', '/auth/sessions', { token: first.access_token, ...from(CAFE) }),
      ],
      ['ended_by_admin', 'admin', ({ second }) => server.auth.api.endSession(second.session_id)],
      [
        'password_changed',
        'self',
        ({ first }) =>
          server.call('POST', '/auth/password', {
            token: first.access_token,
            body: { current_password: PASSWORD, new_password: 'another horse battery' },
            ...from(CAFE),
          }),
      ],
      [
        'account_disabled',
        'admin',
        async ({ email }) => {
          const { id = '' } = (await server.auth.api.findUser(email)) ?? {}
          await server.auth.api.disableUser(id)
          await server.auth.api.enableUser(id)
        },
      ],
      [
        'session_limit',
        'self',
        async ({ email, first }) => {
          server.clock.advance(1)
          await server.refresh(first)
          for (let more = 0; more < 3; more++) await server.login({ email }, from(CAFE))
        },
      ],
      ['idle_expired', 'system', async () => server.clock.advance(30 * DAY)],
    ]

    test.each(stories)(
      'by %s says so: to its client, in the list, and in its time line (%s)',
      async (reason, actor, story) => {
        const its = await two()
        await story(its)
        const refused = await server.refresh(its.second)
        expect([refused.status, refused.json.code, refused.json.end_reason]).toEqual([
          401,
          'session_ended',
          reason,
        ])
        expect(refused.json.detail).toMatch(/^The session has ended\. [A-Z][^"]+\.$/)
        expect(refused.headers.get('www-authenticate')).toContain(
          `error_description="${refused.json.detail}"`,
        )

        const changed = reason === 'password_changed'
        const asking = await server.login({
          email: its.email,
          ...(changed && { password: 'another horse battery' }),
        })
        const { ended_sessions } = await list(asking.json)
        expect(ended_sessions.find(({ id }) => id === its.second.session_id)).toMatchObject({
          end_reason: reason,
        })
        const ends = (await timeline(asking.json, its.second.session_id)).filter(
          ({ event }) => event === 'session.ended',
        )
        expect(ends).toMatchObject([{ actor, end_reason: reason }])
        if (actor === 'self')
          expect(ends).toMatchObject([{ network: '198.51.100.0/24', device: 'Chrome on Windows' }])
      },
    )

    test('by a reset of the password is told with the place of who had the code', async () => {
      const own = await startMailingAuth(database)
      const { email, ...session } = await own.person()
      await own.call('POST', '/auth/password/forgot', { body: { email } })
      const code = await own.codeTo(email, '/reset-password')
      const password = 'another horse battery'
      await own.call('POST', '/auth/password/reset', { body: { code, password }, ...from(CAFE) })
      expect((await own.refresh(session)).json).toMatchObject({ end_reason: 'password_reset' })
      const { json } = await own.login({ email, password })
      expect((await timeline(json, session.session_id, own)).at(-1)).toMatchObject({
        actor: 'someone',
        network: '198.51.100.0/24',
        end_reason: 'password_reset',
      })
    })

    test('is listed with the last 20, the last one first, those that ran out among them', async () => {
      const own = await startFreshAuth(database)
      const email = someEmail()
      const quiet = (await own.register({ email, remember: false })).json
      own.clock.advance(DAY)
      const ended = []
      for (let login = 0; login < 21; login++) {
        const { json } = await own.login({ email })
        own.clock.advance(60)
        await own.call('POST', '/auth/logout', { token: json.access_token })
        ended.unshift(json.session_id)
      }
      const asking = (await own.login({ email })).json
      expect((await list(asking, own)).ended_sessions.map(({ id }) => id)).toEqual(ended.slice(0, 20))
      own.clock.advance(29 * DAY)
      const unused = (await own.login({ email, remember: false })).json
      own.clock.advance(DAY / 2)
      const { ended_sessions } = await list((await own.refresh(asking)).json, own)
      expect(ended_sessions.slice(0, 2)).toMatchObject([
        { id: unused.session_id, end_reason: 'idle_expired' },
        { id: ended[0], end_reason: 'logout' },
      ])
      expect(ended_sessions.map(({ id }) => id)).not.toContain(quiet.session_id)
    })
  })

  describe('the hook locate', () => {
    test('is asked with the whole address, at a login and from somewhere new, and it is nowhere kept', async () => {
      const asked: string[] = []
      const locate = async (address: string) => {
        asked.push(address)
        return address === HOME ? 'Seoul, KR' : 'Busan, KR'
      }
      const own = await startFreshAuth(database, { locate, trustProxy: 1 })
      const via = (address: string) => ({ headers: { 'x-forwarded-for': `made.up, ${address}` } })
      let { json } = await own.register({}, via(HOME))
      json = (await own.refresh(json, via(HOME))).json
      json = (await own.refresh(json, via(CAFE))).json
      expect(asked).toEqual([HOME, CAFE])
      expect(await timeline(json, undefined, own)).toMatchObject([
        { event: 'login.succeeded', place: 'Seoul, KR' },
        { event: 'session.moved', place: 'Busan, KR' },
      ])
      expect((await list(json, own)).sessions).toMatchObject([{ place: 'Busan, KR' }])
      const kept = (await readEverything(own.database)) + JSON.stringify(own.events)
      for (const address of [HOME, CAFE]) expect(kept).not.toContain(address)
    })

    test.each<readonly [string, () => unknown, string | null]>([
      [
        'throws',
        () => {
          throw new Error(HOME)
        },
        null,
      ],
      ['rejects', () => Promise.reject(new Error(HOME)), null],
      ['never answers', () => new Promise(() => {}), null],
      ['knows nothing', () => undefined, null],
      ['answers with something else', () => ({ city: 'Seoul' }), null],
      ['answers with nothing to see', () => '\u0000 \u202e\n', null],
      ['answers with too much', () => `a\u0000b\n${'서'.repeat(200)}`, `a b ${'서'.repeat(76)}`],
    ])('that %s breaks no login', async (_, locate, place) => {
      const own = await startFreshAuth(database, { locate: locate as () => string })
      const { status, json } = await own.register({}, from(HOME))
      expect(status).toBe(201)
      expect((await list(json, own)).sessions).toMatchObject([{ place, network: '203.0.113.0/24' }])
      expect((await own.refresh(json, from(CAFE))).status).toBe(200)
    })

    test('that hangs is asked no more than 32 times at once, and again half a minute later', async () => {
      const locate = vi.fn(() => new Promise<string>(() => {}))
      const own = await startFreshAuth(database, { locate, passwordHashing: { waiting: 1000 } })
      onTestFinished(() => void locate.mockReset())
      const registered = await Promise.all(Array.from({ length: 34 }, () => own.register({}, from(HOME))))
      expect(registered.map(({ status }) => status)).toEqual(Array(34).fill(201))
      expect(locate).toHaveBeenCalledTimes(32)

      own.clock.advance(29.999)
      await own.register({}, from(HOME))
      expect(locate).toHaveBeenCalledTimes(32)
      own.clock.advance(0.001)
      locate.mockResolvedValue('Seoul, KR')
      for (let time = 0; time < 2; time++) {
        const { json } = await own.register({}, from(HOME))
        expect((await list(json, own)).sessions).toMatchObject([{ place: 'Seoul, KR' }])
      }
      expect(locate).toHaveBeenCalledTimes(34)
    })

    test('that was late is asked again as soon as it has answered', async () => {
      const late: ((place: string) => void)[] = []
      const locate = vi.fn(() => new Promise<string>((resolve) => late.push(resolve)))
      const own = await startFreshAuth(database, { locate, passwordHashing: { waiting: 1000 } })
      onTestFinished(() => void locate.mockReset())
      await Promise.all(Array.from({ length: 33 }, () => own.register({}, from(HOME))))
      late[0]?.('too late')
      await own.register({}, from(HOME))
      expect(locate).toHaveBeenCalledTimes(33)
    })
  })
})
