import { type KeyObject, sign } from 'node:crypto'
import { createGuard, type Guard, type GuardOptions, type GuardRequest, type Needs } from '@mapae/guard'
import { guardConnection } from '@mapae/guard/connection'
import { protect } from '@mapae/guard/hono'
import { claimsOf, eventTypes, keySetVersion } from '@mapae/guard/revocations'
import { decodeUnverified, generateKey } from '@mapae/jwt'
import { Hono } from 'hono'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { checkAccessClaims } from '../src/access-claims.ts'
import { at, ended, type Feed, head, ISSUER, keyWithdrawn, overlap, START, startFeed } from './feed.ts'

const SOON = { timeout: 20_000, interval: 5 }

function guardOf(feed: Feed, options: Partial<GuardOptions> = {}): Guard {
  const guard = createGuard({ issuer: ISSUER, fetch: feed.fetch, clock: feed.clock, ...options })
  onTestFinished(() => guard.close())
  return guard
}

/** A guard that knows all there is, of a feed whose last entry is 0. */
async function followingGuard(feed: Feed, options: Partial<GuardOptions> = {}): Promise<Guard> {
  const guard = guardOf(feed, options)
  guard.status()
  await line(feed, 1)
  feed.say(head(0, feed.state.now))
  await isIn(guard, 'live')
  return guard
}

const bearer = (token: string): GuardRequest => ({
  method: 'GET',
  url: '/',
  header: (name) => (name === 'authorization' ? `Bearer ${token}` : undefined),
})
async function judge(guard: Guard, token: string, needs?: Needs) {
  const admission = await guard.check(bearer(token), needs)
  return admission.type === 'refused' ? `${admission.status} ${admission.body.code}` : admission.type
}
const line = (feed: Feed, count: number) => vi.waitFor(() => expect(feed.lines.length).toBe(count), SOON)
const isIn = (guard: Guard, state: string) =>
  vi.waitFor(() => expect(guard.status().revocations.state).toBe(state), SOON)
const refuses = (guard: Guard, token: string) =>
  vi.waitFor(async () => expect(await judge(guard, token)).toBe('401 invalid_token'), SOON)

describe('what the feed tells', () => {
  test('refuses the tokens of an ended session, and of no other', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    const [token, other] = [feed.token(), feed.token({ sid: 'session-2' })]
    expect(await judge(guard, token)).toBe('admitted')
    feed.say(ended(0, 1, 'session-1'))
    await refuses(guard, token)
    expect(await judge(guard, other)).toBe('admitted')
    const refused = await guard.check(bearer(token))
    expect(refused).toMatchObject({ body: { detail: 'The access token was revoked.' } })
  })

  test('refuses an account’s tokens that are older than its epoch, also where epochs come in any order', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    const { high, low } = await markOfAccount()
    const raised = (prev: number, seq: number, epoch: number) =>
      claimsOf(
        {
          prev: at(prev),
          upTo: at(seq),
          says: { type: 'revoked', entries: [{ high, low, epoch, expiresAt: START / 1000 + 360 }] },
        },
        ISSUER,
      )
    feed.say(raised(0, 1, 3))
    feed.say(raised(1, 2, 2))
    feed.say(head(2, START))
    await refuses(guard, feed.token({ epoch: 2 }))
    expect(await judge(guard, feed.token({ epoch: 3 }))).toBe('admitted')
    expect(await judge(guard, feed.token({ epoch: 0, sub: 'account-2' }))).toBe('admitted')
  })

  test('is no longer counted when no token can be in date any more', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    feed.say(ended(0, 1, 'session-1'))
    await refuses(guard, feed.token())
    feed.state.now += 361_000
    expect(await judge(guard, feed.token()), 'as no server signs it').toBe('admitted')
  })

  test('ends a connection at once, without another look', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    const admission = await guard.check(bearer(feed.token()))
    if (admission.type !== 'admitted') throw new Error('not admitted')
    const end = vi.fn()
    const { claims } = admission
    guardConnection(guard, { claims, end, checkEvery: 3_600_000, clock: feed.clock })
    feed.say(ended(0, 1, 'session-2'))
    feed.say(ended(1, 2, 'session-1'))
    await vi.waitFor(() => expect(end.mock.calls).toEqual([['token_revoked']]), SOON)
  })

  test('has an inline renewal decide: the session may be alive, with a role taken away', async () => {
    const feed = startFeed()
    const renewed = feed.token({ jti: 'token-2', epoch: 1 })
    const claims = checkAccessClaims(decodeUnverified(renewed).claims)
    const renew = vi.fn(async () => ({ type: 'renewed', accessToken: renewed, claims, headers: [] }) as const)
    const guard = await followingGuard(feed, { renew })
    feed.say(ended(0, 1, 'session-1'))
    await vi.waitFor(async () => {
      const admission = await guard.check(bearer(feed.token()))
      expect(admission).toMatchObject({ type: 'admitted', token: renewed })
    }, SOON)
  })

  test('stops a withdrawn key, and what is signed with it from then on, events among it', async () => {
    const feed = startFeed()
    const newer = generateKey('ES256')
    const guard = await followingGuard(feed)
    const token = feed.token()
    expect(await judge(guard, token)).toBe('admitted')
    // A cache in between goes on serving the old key.
    feed.published.push(newer)
    feed.say(keyWithdrawn(0, 1, feed.key.kid ?? ''), newer)
    await refuses(guard, token)
    expect(await judge(guard, feed.token({}, newer))).toBe('admitted')

    feed.say(ended(1, 2, 'session-1'), feed.key)
    feed.say(ended(1, 2, 'session-9'), newer)
    await refuses(guard, feed.token({ sid: 'session-9' }, newer))
    expect(await judge(guard, feed.token({}, newer)), 'the thief of a key revokes nothing').toBe('admitted')
  })

  test('stops a withdrawn key also where its thief does not name it, and a key set is kept that has no other of its algorithm', async () => {
    const feed = startFeed()
    const newer = generateKey('Ed25519')
    feed.published.push(newer)
    const { keyObject } = feed.key
    const nameless = createNamelessSigner(keyObject)
    const guard = await followingGuard(feed)
    const token = nameless('at+jwt', decodeUnverified(feed.token()).claims)
    expect(await judge(guard, token)).toBe('admitted')
    feed.say(keyWithdrawn(0, 1, feed.key.kid), newer)
    await refuses(guard, token)
    const set = decodeUnverified(feed.set(keyWithdrawn(1, 2, newer.kid))).claims
    feed.send(`data: ${nameless('secevent+jwt', set)}\n\n`)
    feed.say(ended(1, 2, 'session-9'), newer)
    await refuses(guard, feed.token({ sid: 'session-9' }, newer))
    expect(await judge(guard, feed.token({}, newer)), 'the thief withdraws nothing').toBe('admitted')
  })

  test('ends a connection whose token a withdrawn key signed, which may never expire', async () => {
    const feed = startFeed()
    const newer = generateKey('ES256')
    feed.published.push(newer)
    const guard = await followingGuard(feed)
    const [end, otherEnd] = [vi.fn(), vi.fn()]
    for (const [key, its] of [
      [feed.key, end],
      [newer, otherEnd],
    ] as const) {
      const admission = await guard.check(bearer(feed.token({ exp: START * 2 }, key)))
      if (admission.type !== 'admitted') throw new Error('not admitted')
      const { claims } = admission
      guardConnection(guard, { claims, end: its, checkEvery: 3_600_000, clock: feed.clock })
    }
    feed.say(keyWithdrawn(0, 1, feed.key.kid), newer)
    await vi.waitFor(() => expect(end.mock.calls).toEqual([['token_revoked']]), SOON)
    expect(otherEnd).not.toHaveBeenCalled()
  })
})

describe('a withdrawal that the issuer does not know of', () => {
  test('by whoever has stolen a key counts until the issuer’s key set is newer, and the next one not at all', async () => {
    const feed = startFeed()
    const errors: unknown[] = []
    const honest = generateKey('ES256')
    feed.published.push(honest)
    const guard = await followingGuard(feed, { onError: (error) => errors.push(error) })
    const token = () => feed.token({}, honest)
    expect(await judge(guard, token())).toBe('admitted')
    feed.say(keyWithdrawn(0, 1, honest.kid))
    await refuses(guard, token())
    expect(errors).toEqual([])

    feed.state.now += 31_000
    await vi.waitFor(async () => expect(await judge(guard, token())).toBe('admitted'), SOON)
    expect(errors.join()).toContain(feed.key.kid)
    feed.say(keyWithdrawn(1, 2, honest.kid))
    feed.say(ended(2, 3, 'session-9'))
    await refuses(guard, feed.token({ sid: 'session-9' }, honest))
    expect(await judge(guard, token())).toBe('admitted')

    feed.say(keyWithdrawn(3, 4, feed.key.kid), honest)
    await refuses(guard, feed.token())
    expect(await judge(guard, token())).toBe('admitted')
  })

  test('by a key of itself counts nothing', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    feed.say(keyWithdrawn(0, 1, feed.key.kid))
    feed.say(ended(1, 2, 'session-1'))
    await refuses(guard, feed.token())
    expect(await judge(guard, feed.token({ sid: 'session-2' }))).toBe('admitted')
  })

  test('is not denied by a key set that some cache has kept, and is final once a newer one had no such key', async () => {
    const feed = startFeed()
    const newer = generateKey('ES256')
    feed.published.push(newer)
    const guard = await followingGuard(feed)
    const [withdrawn] = feed.published
    const asked = (times: number) => vi.waitFor(() => expect(feed.state.keysAskedFor).toBe(times), SOON)
    feed.state.keysAsOf = START + 29_999
    feed.say(keyWithdrawn(0, 1, feed.key.kid), newer)
    await refuses(guard, feed.token())
    feed.state.now += 120_000
    await asked(1)
    expect(await judge(guard, feed.token())).toBe('401 invalid_token')

    feed.published.shift()
    feed.state.keysAsOf = undefined
    await asked(2)
    if (withdrawn) feed.published.push(withdrawn)
    feed.state.now += 120_000
    feed.say(keyWithdrawn(1, 2, feed.key.kid), newer)
    feed.say(ended(2, 3, 'session-9'), newer)
    await refuses(guard, feed.token({ sid: 'session-9' }, newer))
    expect(await judge(guard, feed.token())).toBe('401 invalid_token')
  })
})

/** Signs ES256 without a `kid`. */
function createNamelessSigner(key: KeyObject) {
  return (typ: string, claims: object) => {
    const signed = [{ alg: 'ES256', typ }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
    return `${signed}.${signature.toString('base64url')}`
  }
}

describe('what is forged, broken or out of order', () => {
  const forgeries: readonly (readonly [name: string, forge: (feed: Feed) => string])[] = [
    ['signed with another key', (feed) => feed.set(ended(0, 1, 'session-1'), generateKey('ES256'))],
    ['unsigned', (feed) => unsigned(feed.set(ended(0, 1, 'session-1')))],
    ['an access token', (feed) => feed.set(ended(0, 1, 'session-1'), feed.key, 'at+jwt')],
    ['of another issuer', (feed) => feed.set({ ...ended(0, 1, 'session-1'), iss: 'https://other.example' })],
    ['for another audience', (feed) => feed.set({ ...ended(0, 1, 'session-1'), aud: ISSUER })],
    ['cut short', (feed) => feed.set(ended(0, 1, 'session-1')).slice(0, -20)],
    ['no token at all', () => 'hello'],
    ['without a place', (feed) => feed.set({ ...ended(0, 1, 'session-1'), seq: 'one' })],
    ['that goes backwards', (feed) => feed.set({ ...ended(0, 1, 'session-1'), prev: 5 })],
    [
      'with a hash of another length',
      (feed) => feed.set({ ...ended(0, 1, 'session-1'), sub_id: { format: 'opaque', id: 'AAAA' } }),
    ],
    [
      'with an epoch that is none',
      (feed) =>
        feed.set({
          prev: 0,
          seq: 1,
          sub_id: ended(0, 1, 'session-1')['sub_id'],
          events: { [eventTypes.sessionRevoked]: { epoch: -1, expires_at: START } },
        }),
    ],
    [
      'a list of half a record',
      (feed) => feed.set({ prev: 0, seq: 1, events: { [eventTypes.revocations]: { entries: 'AAAA' } } }),
    ],
    ['of an unknown kind', (feed) => feed.set({ prev: 0, seq: 1, events: { 'urn:example:other': {} } })],
  ]
  test.each(forgeries)('%s changes nothing, and what is said after it counts', async (_, forge) => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    feed.send(`data: ${forge(feed)}\n\n`)
    feed.say(ended(0, 1, 'session-2'))
    feed.say(head(1, START))
    await refuses(guard, feed.token({ sid: 'session-2' }))
    expect(await judge(guard, feed.token())).toBe('admitted')
    expect(guard.status().revocations.entries).toBe(1)
    expect(feed.lines).toHaveLength(1)
  })

  test('what is left out shows at the next word, and is asked for again from there on', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    feed.say(ended(0, 1, 'session-1'))
    feed.say(ended(2, 3, 'session-3'))
    await line(feed, 2)
    expect(feed.lines[1]?.lastEventId).toBe('1.x1_________')
    expect(await judge(guard, feed.token({ sid: 'session-3' })), 'it counts all the same').toBe(
      '401 invalid_token',
    )
    feed.say(ended(1, 3, 'session-2', 'session-3'))
    await refuses(guard, feed.token({ sid: 'session-2' }))
  })

  test('an end that was held back shows when it is said that nothing is newer', async () => {
    const feed = startFeed()
    await followingGuard(feed)
    feed.say(head(1, START + 5000))
    await line(feed, 2)
    expect(feed.lines[1]?.lastEventId).toBe('0')
  })

  test('what is said again, or in another order, takes nothing back', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    const said = [ended(0, 1, 'session-1'), ended(1, 2, 'session-2'), ended(2, 3, 'session-3')] as const
    for (const claims of said) feed.say(claims)
    await refuses(guard, feed.token({ sid: 'session-3' }))
    for (const claims of [said[1], said[0], said[2]]) feed.say(claims)
    await line(feed, 2)
    feed.say(ended(0, 0))
    feed.say(head(0, START))
    for (const sid of ['session-1', 'session-2', 'session-3'])
      expect(await judge(guard, feed.token({ sid }))).toBe('401 invalid_token')
  })

  test('a word of another feed, of a database that was restored, is not taken for one of this', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    feed.say(ended(0, 2, 'session-1'))
    await refuses(guard, feed.token())
    feed.state.now += 30_000
    for (const [index, foreign] of [
      head(at(2, 'y'), START + 30_000),
      ended(at(2, 'y'), at(3, 'y'), 'session-3'),
      ended(at(1, 'y'), at(2, 'y'), 'session-2'),
    ].entries()) {
      feed.say(foreign)
      await line(feed, index + 2)
      expect(feed.lines.at(-1)?.lastEventId).toBe('2.x2_________')
    }
    expect(guard.status().revocations, 'no word of the other feed makes it fresh').toMatchObject({
      staleFor: 30,
    })
    for (const sid of ['session-1', 'session-2', 'session-3'])
      expect(await judge(guard, feed.token({ sid })), sid).toBe('401 invalid_token')
    // The other one from its beginning, as a server tells it that has no such place.
    feed.say(ended(0, at(3, 'y'), 'session-4'))
    feed.say(head(at(3, 'y'), feed.state.now))
    await vi.waitFor(() => expect(guard.status().revocations).toMatchObject({ staleFor: 0 }), SOON)
    expect(await judge(guard, feed.token({ sid: 'session-4' }))).toBe('401 invalid_token')
    expect(await judge(guard, feed.token()), 'it held that before').toBe('401 invalid_token')
  })

  test('a list that was made for many begins before the place of a guard, which is told so', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    feed.say(ended(0, 5, 'session-1'))
    feed.say(overlap(5, 3))
    feed.say(ended(3, 9, 'session-2', 'session-3'))
    feed.say(head(9, START))
    await refuses(guard, feed.token({ sid: 'session-3' }))
    await isIn(guard, 'live')
    expect(feed.lines).toHaveLength(1)
    feed.say(overlap(7, 3))
    await line(feed, 2)
    expect(feed.lines[1]?.lastEventId).toBe('9.x9_________')
  })

  test('an old word that nothing is newer makes nobody believe it now', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    const old = head(0, START)
    feed.state.now += 61_000
    feed.say(old)
    feed.say(ended(0, 1, 'session-1'))
    await refuses(guard, feed.token())
    expect(guard.status().revocations).toMatchObject({ state: 'stale', staleFor: 61 })
  })

  test('a word of the future is one of now', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    feed.say(head(0, START + 3_600_000))
    feed.say(ended(0, 1, 'session-1'))
    await refuses(guard, feed.token())
    feed.state.now += 61_000
    expect(guard.status().revocations.state).toBe('stale')
  })

  test('an event without an end is hung up on', async () => {
    const feed = startFeed()
    const errors: unknown[] = []
    await followingGuard(feed, { onError: (error) => errors.push(error) })
    for (let part = 0; part < 11; part++) feed.send('data: '.padEnd(100_000, 'A'))
    await line(feed, 2)
    expect(String(errors[0])).toContain('too long')
  })

  test('events are read whatever pieces they come in', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    const text = `: hello\r\n\r\nid: 1\r\nevent: x\r\ndata: ${feed.set(ended(0, 1, 'session-1'))}\r\n\r\n`
    for (const letter of text) feed.send(letter)
    await refuses(guard, feed.token())
  })
})

describe('a feed that goes away', () => {
  test('is come back to, after what was heard last', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    feed.say(ended(0, 7, 'session-1'))
    await refuses(guard, feed.token())
    for (const [index, leave] of [feed.cut, feed.end].entries()) {
      leave()
      await line(feed, index + 2)
      expect(feed.lines.at(-1)?.lastEventId).toBe('7.x7_________')
    }
    feed.say(ended(7, 8, 'session-2'))
    await refuses(guard, feed.token({ sid: 'session-2' }))
  })

  test('was of a server that names no feed yet: everything is asked for again, since another may answer now', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    const untold = (seq: number) => ({ seq, tag: '' })
    feed.say(ended(0, untold(7), 'session-1'))
    feed.say(ended(untold(7), untold(8), 'session-2'))
    feed.say(head(untold(8), START))
    await refuses(guard, feed.token({ sid: 'session-2' }))
    expect(feed.lines).toHaveLength(1)
    feed.cut()
    await line(feed, 2)
    expect(feed.lines[1]?.lastEventId).toBe('0')
    feed.say(ended(0, 8, 'session-1', 'session-2'))
    feed.say(ended(8, 9, 'session-3'))
    feed.say(head(9, START))
    await refuses(guard, feed.token({ sid: 'session-3' }))
    expect(feed.lines).toHaveLength(2)
  })

  test('leaves tokens as good as they are, and refuses with 503 where a route wants to know', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    const token = feed.token()
    expect(await judge(guard, token, { whenStale: 'refuse' })).toBe('admitted')
    feed.state.now += 60_001
    expect(await judge(guard, token)).toBe('admitted')
    const refused = await guard.check(bearer(token), { whenStale: 'refuse' })
    expect(refused).toMatchObject({
      status: 503,
      body: { code: 'revocations_stale' },
      headers: expect.arrayContaining([
        ['content-type', 'application/problem+json'],
        ['retry-after', '5'],
      ]),
    })
    feed.say(head(0, feed.state.now))
    await isIn(guard, 'live')
    expect(await judge(guard, token, { whenStale: 'refuse' })).toBe('admitted')
  })

  test('refuses where a route wants to know, also a request that was admitted before', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    const before = protect(guard)
    const strict = protect(guard, { whenStale: 'refuse' })
    const app = new Hono().use(before).get('/', strict, (c) => c.text('served'))
    const ask = () => app.request('/', { headers: { authorization: `Bearer ${feed.token()}` } })
    expect((await ask()).status).toBe(200)
    feed.state.now += 60_001
    const refused = await ask()
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'revocations_stale' }])
  })

  test('or a whole guard does, unless a route says otherwise', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed, { revocations: { whenStale: 'refuse', maxStaleness: 10 } })
    feed.state.now += 10_001
    expect(await judge(guard, feed.token())).toBe('503 revocations_stale')
    expect(await judge(guard, feed.token(), { whenStale: 'accept' })).toBe('admitted')
  })

  test('that never was there is no fault of an issuer, unless somebody said that there is one', async () => {
    const feed = startFeed({ hasFeed: false })
    const errors: unknown[] = []
    const guard = guardOf(feed, { onError: (error) => errors.push(error) })
    // No Mapae: it writes no epoch.
    const token = feed.token({ epoch: undefined })
    expect(await judge(guard, token)).toBe('admitted')
    expect(guard.status().revocations).toEqual({ state: 'absent', staleFor: undefined, entries: 0, bytes: 0 })
    expect(await judge(guard, token, { whenStale: 'refuse' })).toBe('503 revocations_stale')
    expect(errors).toEqual([])

    const sure = guardOf(feed, { revocations: true, onError: (error) => errors.push(error) })
    expect(await judge(sure, feed.token())).toBe('admitted')
    expect(sure.status().revocations.state).toBe('stale')
    expect(String(errors[0])).toContain('404')
  })

  test('that a proxy does not find for a moment is looked for again soon, whoever the issuer is', async () => {
    const feed = startFeed({ hasFeed: false })
    const guard = guardOf(feed)
    expect(await judge(guard, feed.token({ epoch: undefined }))).toBe('admitted')
    await isIn(guard, 'absent')
    feed.state.feedStatus = 200
    await line(feed, 1)
  })

  test('is away, and not absent, where a token shows that its issuer is a Mapae', async () => {
    const feed = startFeed({ hasFeed: false })
    const errors: unknown[] = []
    const guard = guardOf(feed, { onError: (error) => errors.push(error) })
    guard.status()
    // By now the next attempt is seconds away.
    await vi.waitFor(() => expect(feed.fetches.length).toBeGreaterThan(3), SOON)
    await isIn(guard, 'absent')
    expect(errors).toEqual([])
    expect(await judge(guard, feed.token())).toBe('admitted')
    expect(guard.status().revocations.state).toBe('stale')
    await vi.waitFor(() => expect(errors.join()).toContain('404'), SOON)
    feed.state.feedStatus = 200
    await line(feed, 1)
  })

  test('is missed where it was once, or says itself that it is there', async () => {
    const errors: unknown[] = []
    const onError = (error: unknown) => void errors.push(error)
    const feed = startFeed()
    const guard = await followingGuard(feed, { onError })
    feed.state.feedStatus = 404
    feed.cut()
    await vi.waitFor(() => expect(errors.join()).toContain('404'), SOON)
    feed.state.now += 61_000
    expect(guard.status().revocations.state).toBe('stale')

    const closed = startFeed()
    closed.state.feedStatus = 401
    expect(await judge(guardOf(closed, { onError }), closed.token())).toBe('admitted')
    expect(errors.join(), 'its token is needed').toContain('401')
  })

  test('that has no line to spare is asked again and again instead', async () => {
    const feed = startFeed()
    feed.state.feedStatus = 503
    feed.answers.push(feed.set(ended(0, 1, 'session-1')), feed.set(head(1, START)))
    const guard = guardOf(feed)
    expect(await judge(guard, feed.token())).toBe('401 invalid_token')
    expect(guard.status().revocations.state).toBe('live')
    feed.answers.push(feed.set(ended(1, 2, 'session-2')))
    await refuses(guard, feed.token({ sid: 'session-2' }))
    expect(feed.lines).toHaveLength(0)
  })

  test('is waited for a moment by the first request, so that what ended before counts', async () => {
    const feed = startFeed()
    const guard = guardOf(feed)
    const first = judge(guard, feed.token())
    await line(feed, 1)
    feed.say(ended(0, 1, 'session-1'))
    feed.say(head(1, START))
    expect(await first).toBe('401 invalid_token')
  })

  test('is let go of with the guard, which goes on with what it knows', async () => {
    const feed = startFeed()
    const guard = await followingGuard(feed)
    feed.say(ended(0, 1, 'session-1'))
    await refuses(guard, feed.token())
    guard.close()
    await vi.waitFor(() => expect(feed.hungUp).toEqual([1]), SOON)
    expect(guard.status().revocations.state).toBe('closed')
    expect(await judge(guard, feed.token())).toBe('401 invalid_token')
    expect(await judge(guard, feed.token({ sid: 'session-2' }))).toBe('admitted')
    const never = guardOf(feed)
    never.close()
    expect(await judge(never, feed.token())).toBe('admitted')
    expect(feed.lines).toHaveLength(1)
  })
})

describe('a guard that follows', () => {
  test('asks nobody before the first request', async () => {
    const feed = startFeed()
    guardOf(feed)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(feed.fetches).toEqual([])
  })

  test('says which keys it holds, and fetches those that it is told of', async () => {
    const feed = startFeed()
    const next = generateKey('ES256')
    await followingGuard(feed)
    const version = (...keys: readonly (typeof next)[]) =>
      keySetVersion(keys.map(({ kid = '', alg }) => ({ kid, alg })))
    feed.say(head(0, START, [feed.key]))
    await vi.waitFor(() => expect(feed.reports.at(-1)).toMatch(`; keys=${version(feed.key)}`), SOON)
    feed.say(head(0, START, [feed.key, next]))
    feed.published.push(next)
    // The set was fetched a moment ago; it is again when that is over.
    await vi.waitFor(() => {
      feed.say(head(0, START, [feed.key, next]))
      expect(feed.reports.at(-1)).toMatch(`; keys=${version(feed.key, next)}`)
    }, SOON)
    const ids = new Set(feed.reports.map((report) => report.split(';')[0]))
    expect(ids.size, 'under one name').toBe(1)
  })

  test('does so by default, but not where keys are given', async () => {
    const feed = startFeed()
    const off = guardOf(feed, { keys: feed.key })
    expect(off.status().revocations.state).toBe('off')
    expect(guardOf(feed, { revocations: false }).status().revocations.state).toBe('off')
    await expect(off.check(bearer(feed.token()), { whenStale: 'refuse' })).rejects.toMatchObject({
      code: 'options_invalid',
    })
    const given = guardOf(feed, { keys: feed.key, revocations: true })
    given.status()
    await line(feed, 1)
    feed.say(ended(0, 1, 'session-1'))
    feed.say(head(1, START))
    await refuses(given, feed.token())
  })

  test.each([
    ['no options', { revocations: 'yes' }],
    ['a staleness of less than 10 s', { revocations: { maxStaleness: 9 } }],
    ['no rule for staleness', { revocations: { whenStale: 'perhaps' } }],
    [
      'plain http to another host',
      { fetch: undefined, revocations: { url: 'http://relay.example/revocations' } },
    ],
  ])('refuses %s at once', (_, options) => {
    expect(() => guardOf(startFeed(), options as never)).toThrow(
      expect.objectContaining({ code: 'options_invalid' }),
    )
  })
})

function unsigned(token: string): string {
  const [, payload = ''] = token.split('.')
  return `${Buffer.from('{"alg":"none","typ":"secevent+jwt"}').toString('base64url')}.${payload}.`
}

async function markOfAccount() {
  const { accountHash, markOf } = await import('@mapae/guard/revocations')
  return markOf(accountHash('account-1'))
}
