import type { Guard } from '@mapae/guard'
import {
  BEGINNING,
  eventTypes,
  feedAudience,
  readStatement,
  type Statement,
  sessionHash,
} from '@mapae/guard/revocations'
import { createJwkSet, createVerifier, decodeUnverified, type Jwk } from '@mapae/jwt'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { bearer, fetchOf, guardOf, judged } from './guard-of.ts'
import { type MailingAuth, startMailingAuth } from './mailbox.ts'
import { isSqlite, query } from './read-database.ts'
import { type Answer, PASSWORD, startAuth, startFreshAuth, type TestAuth, URL_OF_AUTH } from './start-auth.ts'
import { startTcpProxy } from './tcp-proxy.ts'

const FEED_TOKEN = 'the-token-of-the-revocation-feed'
/** Generous: what is waited for comes within milliseconds, and no test passes or fails by how long it took. */
const SOON = { timeout: 20_000, interval: 10 }

const isLive = (guard: Guard) => vi.waitFor(() => expect(guard.status().revocations.state).toBe('live'), SOON)
const refuses = (guard: Guard, answer: Answer) =>
  vi.waitFor(async () => expect(await judged(guard, answer)).toBe('401 invalid_token'), SOON)

/** The tokens of a poll, verified as a guard verifies them. */
async function poll(server: TestAuth, since: number | string = 0, headers: Record<string, string> = {}) {
  const answer = await server.call('GET', `/revocations?since=${since}`, { headers })
  const { sets = [] }: { sets?: string[] } = JSON.parse(answer.text)
  const jwks = (await server.call('GET', '/.well-known/jwks.json')).json
  const verify = createVerifier({
    keys: createJwkSet(jwks as unknown as { keys: Jwk[] }),
    issuer: URL_OF_AUTH,
    audience: feedAudience(URL_OF_AUTH),
    typ: 'secevent+jwt',
    maxLength: 1_000_000,
    dangerouslyAllowNoExpiry: true,
    clock: server.clock.now,
  })
  const claims = sets.map((set) => verify(set).claims)
  return { answer, sets, claims, statements: claims.map(readStatement) as Statement[] }
}

async function firstEvents(stream: ReadableStream<Uint8Array> | null, count: number): Promise<string[]> {
  const events: string[] = []
  let text = ''
  for await (const chunk of stream ?? []) {
    text += new TextDecoder().decode(chunk)
    events.splice(0, events.length, ...text.split('\n\n').filter((event) => event.includes('data:')))
    if (events.length >= count) break
  }
  return events.slice(0, count)
}

describe.each(databases)('the revocation feed, on $name', (database) => {
  describe('tells of every end, and a guard refuses within moments', () => {
    const ends: readonly (readonly [
      name: string,
      end: (server: MailingAuth, person: Answer) => Promise<unknown>,
    ])[] = [
      [
        'a logout',
        (server, person) => server.call('POST', '/auth/logout', { token: person.json.access_token }),
      ],
      [
        'the theft of a refresh token',
        async (server, person) => {
          let tokens = person.json
          for (let times = 0; times < 2; times++) {
            tokens = (await server.refresh(tokens, { attemptId: `attempt-${times}-0123456789abcdef` })).json
            server.clock.advance(31)
          }
          expect((await server.refresh(person.json)).json.code).toBe('session_ended')
        },
      ],
      [
        'a change of the password',
        (server, person) =>
          server.call('POST', '/auth/password', {
            token: person.json.access_token,
            body: { current_password: PASSWORD, new_password: 'another horse battery' },
          }),
      ],
      [
        'a reset of the password',
        async (server, person) => {
          const email = person.json.user.email ?? ''
          await server.mailsTo(email)
          await server.call('POST', '/auth/password/forgot', { body: { email } })
          const code = await server.codeTo(email, '/reset-password')
          const body = { code, password: 'another horse battery' }
          expect((await server.call('POST', '/auth/password/reset', { body })).status).toBe(200)
        },
      ],
      ['an account disabled', ({ auth }, person) => auth.api.disableUser(person.json.user.id)],
      ['an account deleted', ({ auth }, person) => auth.api.deleteUser(person.json.user.id)],
      [
        'a role taken away',
        ({ auth }, person) => auth.api.withdraw({ id: person.json.user.id, roles: ['admin'] }),
      ],
      [
        '"log out everywhere else"',
        async (server, person) => {
          const other = await server.login({ email: person.json.user.email })
          await server.call('DELETE', '/auth/sessions', { token: other.json.access_token })
        },
      ],
      [
        'a session ended from another device',
        async (server, person) => {
          const other = await server.login({ email: person.json.user.email })
          await server.call('DELETE', `/auth/sessions/${person.json.session_id}`, {
            token: other.json.access_token,
          })
        },
      ],
      [
        'a session ended by an administrator',
        ({ auth }, person) => auth.api.endSession(person.json.session_id),
      ],
      [
        'the limit of sessions',
        async (server, person) => {
          for (let times = 0; times < 2; times++) {
            server.clock.advance(1)
            await server.login({ email: person.json.user.email })
          }
        },
      ],
      [
        'the withdrawal of the key',
        ({ auth }, person) =>
          auth.api.withdrawKey(decodeUnverified(person.json.access_token).header.kid ?? ''),
      ],
    ]

    test.each(ends)('%s', async (_, end) => {
      const server = await startMailingAuth(database, { sessionsPerAccount: 2 })
      const guard = guardOf(server)
      const registered = await server.register()
      await server.auth.api.grant({ id: registered.json.user.id, roles: ['admin'] })
      await server.call('POST', '/auth/logout', { token: registered.json.access_token })
      const person = await server.login({ email: registered.json.user.email })
      const bystander = await server.register()
      expect(await judged(guard, person)).toBe('admitted')
      await isLive(guard)

      await end(server, { ...person, json: { ...person.json, user: registered.json.user } })
      await refuses(guard, person)
      const again = guardOf(server)
      await isLive(again)
      expect(await judged(again, person), 'so does a guard that starts later').toBe('401 invalid_token')
      if (_ !== 'the withdrawal of the key')
        expect([await judged(guard, bystander), await judged(again, bystander)]).toEqual([
          'admitted',
          'admitted',
        ])
    })
  })

  test('is of signed events that name no account, session or reason', async () => {
    const server = await startFreshAuth(database)
    const { json } = await server.register()
    await server.call('POST', '/auth/logout', { token: json.access_token })
    await server.auth.api.disableUser(json.user.id)
    const { answer, sets, claims, statements } = await poll(server)
    expect(answer.status).toBe(200)
    for (const set of sets)
      expect(decodeUnverified(set).header).toEqual({
        alg: 'ES256',
        typ: 'secevent+jwt',
        kid: expect.any(String),
      })
    const [ended, disabled, head] = claims
    expect(ended).toMatchObject({
      iss: URL_OF_AUTH,
      aud: `${URL_OF_AUTH}/revocations`,
      prev: 0,
      sub_id: { format: 'opaque', id: expect.stringMatching(/^[\w-]{11}$/) },
      events: { [eventTypes.sessionRevoked]: { expires_at: expect.any(Number) } },
    })
    expect(disabled).toMatchObject({ events: { [eventTypes.sessionRevoked]: { epoch: 1 } } })
    expect(head).toMatchObject({ events: { [eventTypes.verification]: { as_of: server.clock.now() } } })
    for (const one of claims) expect(one).not.toHaveProperty('sub')
    expect(statements.map(({ prev, upTo }) => [prev.seq, upTo.seq])).toEqual([
      [0, 1],
      [1, 2],
      [2, 2],
    ])
    const everything = JSON.stringify(claims)
    for (const secret of [json.user.id, json.session_id, 'logout', 'disabled'])
      expect(everything).not.toContain(secret)
  })

  test('gives a hundred at once as lists, and a guard knows all of them', async () => {
    const server = await startFreshAuth(database)
    const person = await server.register()
    const { email } = person.json.user
    const sessions = [person]
    for (let times = 0; times < 14; times++) sessions.push(await server.login({ email }))
    await server.auth.api.disableUser(person.json.user.id)
    const { statements, claims } = await poll(server)
    expect(statements).toHaveLength(2)
    expect(claims[0]?.['events']).toHaveProperty([eventTypes.revocations])
    const guard = guardOf(server)
    await isLive(guard)
    expect(guard.status().revocations.entries).toBe(16)
    for (const session of sessions) expect(await judged(guard, session)).toBe('401 invalid_token')
  })

  test('is resumed after the last event, and tells what was missed once', async () => {
    const server = await startFreshAuth(database)
    const people = [await server.register(), await server.register(), await server.register()]
    for (const { json } of people) await server.call('POST', '/auth/logout', { token: json.access_token })
    const ask = (headers: Record<string, string>) =>
      server.auth.fetch(new Request(`${URL_OF_AUTH}/revocations`, { headers }))
    const whole = await ask({})
    expect(whole.headers.get('content-type')).toBe('text/event-stream')
    const ids = (events: readonly string[]) =>
      events.map((event) => /^id: (\d+)\.[\w-]{11}$/m.exec(event)?.[1])
    expect(ids(await firstEvents(whole.body, 4))).toEqual(['1', '2', '3', '3'])
    expect(ids(await firstEvents((await ask({ 'last-event-id': '2' })).body, 2))).toEqual(['3', '3'])
    const restored = await ask({ 'last-event-id': '4711' })
    expect(ids(await firstEvents(restored.body, 4)), 'of a database that was restored').toEqual([
      '1',
      '2',
      '3',
      '3',
    ])
    const odd = await ask({ 'last-event-id': 'made up' })
    expect(ids(await firstEvents(odd.body, 4))).toEqual(['1', '2', '3', '3'])
  })

  test('can be polled; what is no number is 400', async () => {
    const server = await startFreshAuth(database)
    const { json } = await server.register()
    await server.call('POST', '/auth/logout', { token: json.access_token })
    expect((await poll(server, 1)).statements).toHaveLength(1)
    expect((await poll(server, 1)).answer.headers.get('cache-control')).toBe('public, max-age=1')
    for (const since of ['x', '-1', '1.5', '', '9'.repeat(16)]) {
      const answer = await server.call('GET', `/revocations?since=${since}`)
      expect([answer.status, answer.json.code], since).toEqual([400, 'invalid_request'])
    }
  })

  test('can be closed to all but the holders of a token', async () => {
    const server = await startFreshAuth(database, { revocationFeed: { token: FEED_TOKEN } })
    const person = await server.register()
    const without = await server.call('GET', '/revocations')
    expect([without.status, without.json.code]).toEqual([401, 'token_required'])
    const wrong = await server.call('GET', '/revocations?since=0', { token: `${FEED_TOKEN}x` })
    expect([wrong.status, wrong.json.code]).toEqual([401, 'invalid_token'])
    const { answer } = await poll(server, 0, { authorization: `Bearer ${FEED_TOKEN}` })
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])

    const guard = guardOf(server, { revocations: { token: FEED_TOKEN } })
    await isLive(guard)
    await server.call('POST', '/auth/logout', { token: person.json.access_token })
    await refuses(guard, person)
    const errors: unknown[] = []
    const stranger = guardOf(server, { onError: (error) => errors.push(error) })
    expect(await judged(stranger, await server.register())).toBe('admitted')
    expect(stranger.status().revocations.state).toBe('stale')
    expect(errors.join()).toContain('401')
  })

  test('serves so many at once and no more; who leaves makes room', async () => {
    const server = await startFreshAuth(database, { revocationFeed: { connections: 2 } })
    const open = () => server.auth.fetch(new Request(`${URL_OF_AUTH}/revocations`))
    const [one, two] = [await open(), await open()]
    const full = await open()
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '1'])
    await one.body?.cancel()
    expect((await open()).status).toBe(200)
    server.auth.endFeeds()
    expect((await firstEvents(two.body, 9)).length, 'ended, and cleanly').toBeLessThan(9)
    expect((await open()).status).toBe(503)
  })

  test('is full for those who hold most of it, and for nobody else', async () => {
    const server = await startFreshAuth(database, { revocationFeed: { connections: 4 } })
    const openFrom = async (address: string) => {
      const answer = await server.auth.fetch(new Request(`${URL_OF_AUTH}/revocations`), { address })
      return { status: answer.status, isOver: isOver(answer.body) }
    }
    const greedy: Awaited<ReturnType<typeof openFrom>>[] = []
    for (const last of [1, 2, 3, 4]) greedy.push(await openFrom(`203.0.113.${last}`))
    expect((await openFrom('203.0.113.5')).status).toBe(503)
    const others = [await openFrom('198.51.100.1'), await openFrom('2001:db8::1')]
    expect(others.map(({ status }) => status)).toEqual([200, 200])
    await greedy[3]?.isOver
    await greedy[2]?.isOver
    expect((await openFrom('203.0.113.5')).status, 'they have no less than others').toBe(503)
    expect((await openFrom('198.51.100.2')).status).toBe(503)
  })

  test('has no place taken by who asks for its head alone', async () => {
    const server = await startFreshAuth(database, { revocationFeed: { connections: 1 } })
    const ask = (method: string) => server.auth.fetch(new Request(`${URL_OF_AUTH}/revocations`, { method }))
    for (const head of [await ask('HEAD'), await ask('HEAD')])
      expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    expect((await ask('GET')).status).toBe(200)
  })

  test('signs what many missed once for all who ask, from whatever entry, and anew where the key was withdrawn', async () => {
    const server = await startFreshAuth(database)
    await server.register()
    await insertMany(server, 10_300)
    const { sets, statements } = await poll(server)
    expect(statements.map(({ prev, upTo }) => [prev.seq, upTo.seq])).toEqual([
      [0, 10_000],
      [10_000, 10_300],
      [10_300, 10_300],
    ])
    for (const since of [1, 5000, 9899])
      expect((await poll(server, since)).sets.slice(0, 2), `${since}`).toEqual(sets.slice(0, 2))
    const between = await poll(server, 10_150)
    expect(between.statements[0]).toMatchObject({
      prev: { seq: 10_150 },
      upTo: { seq: 10_000 },
      says: { type: 'overlap' },
    })
    expect(between.sets[1]).toBe(sets[1])
    const few = await poll(server, 10_299)
    expect(few.statements[0], 'few are for each').toMatchObject({ prev: { seq: 10_299 } })

    server.clock.advance(60)
    const again = await poll(server)
    expect(again.sets[0]).not.toBe(sets[0])
    const [key] = await server.auth.api.listKeys()
    await server.auth.api.withdrawKey(key?.kid ?? '')
    await vi.waitFor(async () => expect((await poll(server)).sets[0]).not.toBe(again.sets[0]), SOON)
  })

  test('breaks off where the database fails half way, which takes nobody’s place and ends nothing else', async () => {
    const server = await startFreshAuth(database, {
      revocationFeed: { connections: 1 },
      onEvent: () => {},
    })
    await server.register()
    await insertMany(server, 20_001)
    const open = () => server.auth.fetch(new Request(`${URL_OF_AUTH}/revocations`))
    const broken = await open()
    await query(server.database, 'alter table revocations rename to gone')
    expect((await broken.text()).length, 'of 580,000').toBeLessThan(400_000)
    await query(server.database, 'alter table gone rename to revocations')
    expect((await open()).status).toBe(200)
    server.auth.endFeeds()
  })

  test('reaches a guard of another replica, whichever one something ends at', async () => {
    const one = await startFreshAuth(database)
    const other = await startAuth(one.database)
    const [guard, far] = [guardOf(one), guardOf(other)]
    const people = [await one.register(), await one.register()] as const
    for (const person of people)
      expect([await judged(guard, person), await judged(far, person)]).toEqual(['admitted', 'admitted'])
    await Promise.all([isLive(guard), isLive(far)])
    for (const [index, server] of [one, other].entries()) {
      const person = people[index] ?? people[0]
      await server.call('POST', '/auth/logout', { token: person.json.access_token })
      await Promise.all([refuses(guard, person), refuses(far, person)])
    }
  })

  test('forgets what can refuse nothing any more', async () => {
    const server = await startFreshAuth(database)
    const guard = guardOf(server)
    const person = await server.register()
    await isLive(guard)
    await server.call('POST', '/auth/logout', { token: person.json.access_token })
    await refuses(guard, person)
    server.clock.advance(300 + 60 + 1)
    await server.auth.api.sweep()
    expect(
      await query(server.database, 'select seq from revocations'),
      'the last shows where the feed is',
    ).toEqual([{ seq: isSqlite(server.database) ? 1 : '1' }])
    await vi.waitFor(() => expect(guard.status().revocations.entries).toBe(0), SOON)
    expect((await poll(server)).statements.map(({ prev, upTo }) => [prev.seq, upTo.seq])).toEqual([
      [0, 1],
      [1, 1],
    ])
  })

  test('keeps an entry for as long as a token of another replica can live, also one that was started later', async () => {
    const one = await startFreshAuth(database, { accessTokenLifetime: 60 })
    const { json } = await one.register()
    const other = await startAuth(one.database, { accessTokenLifetime: 7200 })
    const long = await other.refresh(json)
    await one.call('POST', '/auth/logout', { token: json.access_token })
    for (const { clock } of [one, other]) clock.advance(7199)
    await one.auth.api.sweep()
    const guard = guardOf(one)
    expect(await judged(guard, long)).toBe('401 invalid_token')
  })

  test('is stale, and not less, while the database is away: a route can refuse then', async () => {
    const server = await startFreshAuth(database)
    const guard = guardOf(server)
    const person = await server.register()
    await isLive(guard)
    const strict = () => guard.check(bearer(person.json.access_token), { whenStale: 'refuse' })
    expect((await strict()).type).toBe('admitted')
    await server.auth.close()
    server.clock.advance(61)
    const refused = await strict()
    expect(refused).toMatchObject({ status: 503, body: { code: 'revocations_stale' } })
    expect(await judged(guard, person)).toBe('admitted')
    expect(guard.status().revocations).toMatchObject({ state: 'stale', staleFor: 61 })
  })

  test('gives sixty thousand entries in lists, and a guard that connects knows all of them', async () => {
    const server = await startFreshAuth(database)
    const guard = guardOf(server)
    await isLive(guard)
    const idle = await server.auth.fetch(new Request(`${URL_OF_AUTH}/revocations`))
    await insertMany(server, 60_000)
    await vi.waitFor(() => expect(guard.status().revocations.entries).toBe(60_000), SOON)
    const late = guardOf(server)
    late.status()
    await vi.waitFor(
      () => expect(late.status().revocations).toMatchObject({ state: 'live', entries: 60_000 }),
      SOON,
    )
    const { statements } = await poll(server)
    expect(statements).toHaveLength(1)
    expect([...(entriesOf(statements[0]) ?? [])]).toHaveLength(10_000)
    expect(statements[0]).toMatchObject({ prev: { seq: 0 }, upTo: { seq: 10_000 } })

    // Who does not read is cut off when too much waits for them; what had been said is still there to read.
    const text = await new Response(idle.body).text()
    expect(text.length).toBeLessThan(1_300_000)
  })

  test('goes on when the line to the database was cut, for as long as nobody can tell it says nothing', async () => {
    if (database.name === 'sqlite') return
    const opened = await database.open()
    onTestFinished(() => opened.close())
    const address = new URL(opened.url)
    const proxy = await startTcpProxy({ host: address.hostname, port: Number(address.port) })
    onTestFinished(() => proxy.cut())
    address.port = String(proxy.port)
    address.hostname = '127.0.0.1'
    const server = await startAuth({ ...opened, url: address.href }, { onEvent: () => {} })
    const direct = await startAuth(opened)
    const guard = guardOf(server)
    const people = [await server.register(), await server.register()] as const
    await isLive(guard)
    await proxy.cut()
    await direct.call('POST', '/auth/logout', { token: people[0].json.access_token })
    expect(await judged(guard, people[0]), 'nobody could tell').toBe('admitted')
    await proxy.restore()
    await refuses(guard, people[0])
    await direct.call('POST', '/auth/logout', { token: people[1].json.access_token })
    await refuses(guard, people[1])
  })

  test('needs no word of the database: looking is enough', async () => {
    if (database.name === 'sqlite') return
    const one = await startFreshAuth(database)
    const other = await startAuth(one.database)
    const guard = guardOf(one)
    const people = [await one.register(), await one.register(), await one.register()]
    await isLive(guard)
    for (const person of people) {
      await query(
        one.database,
        "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %' and datname = current_database()",
      )
      await other.call('POST', '/auth/logout', { token: person.json.access_token })
      await refuses(guard, person)
    }
  })
})

describe.each(databases)('a database that was restored, on $name', (database) => {
  test('and numbers other entries the same is noticed while guards listen: they miss none of them', async () => {
    const server = await startFreshAuth(database)
    const { guard, lost, held } = await threeEnds(server)
    await overwrite(server, lost)
    for (const person of [...held, ...lost]) await refuses(guard, person)
    const later = await server.register()
    await server.call('POST', '/auth/logout', { token: later.json.access_token })
    await refuses(guard, later)
    await isLive(guard)
  })

  test('also by a server that has never seen it otherwise, and after it gave out more numbers than a guard knows', async () => {
    const server = await startFreshAuth(database)
    const line = { auth: server.auth }
    const { guard, lost, held } = await threeEnds(server, (url, init) =>
      line.auth.fetch(new Request(url, init)),
    )
    await server.auth.close()
    await overwrite(server, lost)
    const other = await startAuth(server.database)
    const later = [await other.register(), await other.register()]
    for (const { json } of later) await other.call('POST', '/auth/logout', { token: json.access_token })
    line.auth = other.auth
    for (const person of [...held, ...lost, ...later]) await refuses(guard, person)
    await isLive(guard)
  })

  test('to fewer entries than a guard knows has it take everything, and nothing that it held is forgotten', async () => {
    const server = await startFreshAuth(database)
    const { guard, held } = await threeEnds(server)
    await query(server.database, 'delete from revocations where seq > 1')
    await query(
      server.database,
      isSqlite(server.database)
        ? 'update sqlite_sequence set seq = 1'
        : "select setval('revocations_seq_seq', 1)",
    )
    const later = await server.register()
    await server.call('POST', '/auth/logout', { token: later.json.access_token })
    await refuses(guard, later)
    expect(
      await query(server.database, 'select max(seq) as seq from revocations where seq < 3'),
    ).toMatchObject([{ seq: isSqlite(server.database) ? 2 : '2' }])
    for (const person of held) expect(await judged(guard, person)).toBe('401 invalid_token')
  })

  test('or swept by a replica of the first version, which keeps not even the last entry, loses nobody anything', async () => {
    const server = await startFreshAuth(database)
    const { guard } = await threeEnds(server)
    await query(server.database, 'delete from revocations')
    const later = await server.register()
    await server.call('POST', '/auth/logout', { token: later.json.access_token })
    await refuses(guard, later)
    await isLive(guard)
  })

  test('is told of by the id of an event: who asks for one that is not there gets everything', async () => {
    const server = await startFreshAuth(database)
    await threeEnds(server)
    const before = await poll(server)
    const { tag } = before.statements.at(-1)?.upTo ?? BEGINNING
    expect((await poll(server, `3.${tag}`)).statements).toHaveLength(1)
    for (const since of ['3.AAAAAAAAAAA', `2.${tag}`, `4.${tag}`, '4'])
      expect((await poll(server, since)).statements, since).toEqual(before.statements)
    for (const since of ['3.', '3.AAAA', `3.${tag}A`, `3,${tag}`])
      expect((await server.call('GET', `/revocations?since=${since}`)).status, since).toBe(400)
  })
})

/** A guard that knows of three ends, and two people whose sessions live. */
async function threeEnds(server: TestAuth, fetch = fetchOf(server.auth)) {
  const guard = guardOf(server, { fetch })
  const held = [await server.register(), await server.register(), await server.register()]
  const lost = [await server.register(), await server.register()]
  for (const { json } of held) await server.call('POST', '/auth/logout', { token: json.access_token })
  for (const person of held) await refuses(guard, person)
  for (const person of lost) expect(await judged(guard, person)).toBe('admitted')
  return { guard, held, lost }
}

/** In one step the second and third entry are the ends of other sessions, as in a backup that went on its own way. */
async function overwrite({ database }: TestAuth, people: readonly Answer[]): Promise<void> {
  const [second, third] = people.map(({ json }) =>
    Buffer.from(sessionHash(json.session_id), 'hex').toString('base64url'),
  )
  await query(
    database,
    `update revocations set expires_at = expires_at + 1, key_hash = case seq when 2 then '${second}' else '${third}' end where seq > 1`,
  )
}

/** Resolves when a stream has ended. */
async function isOver(stream: ReadableStream<Uint8Array> | null): Promise<void> {
  for await (const _ of stream ?? []);
}

const entriesOf = (statement: Statement | undefined) =>
  statement?.says.type === 'revoked' ? statement.says.entries : undefined

/** As a million logouts would leave it. */
async function insertMany({ database, clock }: TestAuth, count: number): Promise<void> {
  const hash = isSqlite(database) ? 'hex(randomblob(32))' : 'md5(random()::text) || md5(n::text)'
  const numbers = isSqlite(database)
    ? `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${count})`
    : `with numbers as (select n from generate_series(1, ${count}) n)`
  const insert = 'insert into revocations (key_hash, epoch, expires_at)'
  const rows = `select ${hash}, null, ${clock.now() + 360_000} from numbers`
  await query(database, isSqlite(database) ? `${insert} ${numbers} ${rows}` : `${numbers} ${insert} ${rows}`)
}
