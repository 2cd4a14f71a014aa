import { BEGINNING, claimsOf, feedAudience, setType } from '@mapae/guard/revocations'
import { createSigner, decodeUnverified, importKey } from '@mapae/jwt'
import { describe, expect, test, vi } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { unwrap } from '../src/key-wrapping.ts'
import { deriveSecrets } from '../src/server-secret.ts'
import { guardOf, judged } from './guard-of.ts'
import { query } from './read-database.ts'
import {
  type Answer,
  type CallOptions,
  SECRET,
  startAuth,
  startFreshAuth,
  type TestAuth,
  URL_OF_AUTH,
} from './start-auth.ts'

const DAY = 86_400
const SOON = { timeout: 20_000, interval: 10 }

const kidOf = ({ json }: Answer) => decodeUnverified(json.access_token).header.kid ?? ''
const statuses = async ({ auth }: TestAuth) =>
  (await auth.api.listKeys()).map(({ kid, status }) => [kid, status])
const publishedKids = async ({ call }: TestAuth) =>
  (await call('GET', '/.well-known/jwks.json')).json.keys.map(({ kid }) => kid)

describe.each(databases)('signing keys turn by themselves, on $name', (database) => {
  test('after their lifetime: the next one is published a day before, and signs from the very moment', async () => {
    const server = await startFreshAuth(database, { signingKeyLifetime: 10 * DAY })
    const old = kidOf(await server.register())
    server.clock.advance(9 * DAY - 1)
    await server.auth.api.sweep()
    expect(await statuses(server), 'not yet').toEqual([[old, 'active']])

    server.clock.advance(1)
    await server.auth.api.sweep()
    await server.auth.api.sweep()
    const [[made] = []] = await statuses(server)
    expect(await statuses(server)).toEqual([
      [made, 'next'],
      [old, 'active'],
    ])
    expect(await publishedKids(server)).toEqual([made, old])
    server.clock.advance(DAY - 1)
    expect(kidOf(await server.register())).toBe(old)
    server.clock.advance(1)
    expect(kidOf(await server.register())).toBe(made)
    expect(server.events).toContainEqual({
      type: 'signing_key.made',
      at: expect.any(Number),
      detail: expect.objectContaining({ kid: made, algorithm: 'ES256' }),
    })
  })

  test('and of any number of replicas one makes the successor, each time', async () => {
    const one = await startFreshAuth(database, { signingKeyLifetime: 10 * DAY })
    const replicas = [one, await startAuth(one.database, { signingKeyLifetime: 10 * DAY })]
    replicas.push(await startAuth(one.database, { signingKeyLifetime: 10 * DAY }))
    await one.register()
    for (let turn = 1; turn <= 3; turn++) {
      for (const { clock } of replicas) clock.advance(10 * DAY)
      await Promise.all(replicas.map(({ auth }) => auth.api.sweep()))
      for (const { clock } of replicas) clock.advance(600)
      expect(await one.auth.api.listKeys()).toHaveLength(turn + 1)
    }
  })

  test('never, with a lifetime of 0; less than an hour is refused', async () => {
    const server = await startFreshAuth(database, { signingKeyLifetime: 0 })
    await server.register()
    server.clock.advance(400 * DAY)
    await server.auth.api.sweep()
    expect(await server.auth.api.listKeys()).toHaveLength(1)
    await expect(startAuth(server.database, { signingKeyLifetime: 3599 })).rejects.toThrow(
      'signingKeyLifetime',
    )
  })

  test('while they are used: no live token is refused, by either replica or a guard of either', async () => {
    const one = await startFreshAuth(database, { signingKeyLifetime: 3600, sweepInterval: 0 })
    const replicas = [one, await startAuth(one.database, { signingKeyLifetime: 3600, sweepInterval: 0 })]
    const guards = replicas.map((replica) => guardOf(replica))
    let people = await Promise.all([1, 2, 3, 4].map(() => one.register()))
    const kids = new Set<string>()
    for (let turn = 0; turn < 38; turn++) {
      const held = people
      people = await Promise.all(
        held.map(({ json }, index) => (replicas[(turn + index) % 2] ?? one).refresh(json)),
      )
      for (const person of people) kids.add(kidOf(person))
      await Promise.all(
        [...held, ...people].map(async (live) => {
          const verdicts = await Promise.all(guards.map((guard) => judged(guard, live)))
          expect(verdicts, `turn ${turn}`).toEqual(['admitted', 'admitted'])
          for (const { call } of replicas)
            expect((await call('GET', '/auth/me', { token: live.json.access_token })).status).toBe(200)
        }),
      )
      for (const { clock } of replicas) clock.advance(240)
      await Promise.all(replicas.map(({ auth }) => auth.api.sweep()))
    }
    expect(kids.size).toBe(3)
  })

  test('and guards say which keys they hold, so that a command can wait for them', async () => {
    const server = await startFreshAuth(database)
    const guard = guardOf(server)
    const person = await server.register()
    expect(await judged(guard, person)).toBe('admitted')
    await vi.waitFor(
      async () => expect(await server.auth.api.listGuards()).toMatchObject([{ isReady: true }]),
      SOON,
    )
    const [seen] = await server.auth.api.listGuards()

    const made = await server.auth.api.rotateKeys()
    expect(await server.auth.api.listGuards()).toMatchObject([{ id: seen?.id, isReady: false }])
    const postponed = await server.auth.api.postponeKey(made.kid)
    expect(postponed?.activeFrom).toBe(server.clock.now() + 600_000)
    await vi.waitFor(
      async () => expect(await server.auth.api.listGuards()).toMatchObject([{ isReady: true }]),
      SOON,
    )
    expect(await server.auth.api.postponeKey(kidOf(person)), 'it signs already').toBeUndefined()

    server.clock.advance(601)
    await query(server.database, 'update guards set seen_at = seen_at - 1000000 returning id')
    expect(await server.auth.api.listGuards(), 'unseen for ten minutes').toEqual([])
    for (const field of ['', 'short; keys=x', `${'x'.repeat(65)}; keys=x`, `${'x'.repeat(20)}; keys=`, 'a b'])
      await server.call('GET', '/revocations?since=0', { headers: { 'mapae-guard': field } })
    expect(await query(server.database, 'select id from guards')).toHaveLength(1)
    server.clock.advance(3600)
    expect(await server.auth.api.sweep()).toMatchObject({ guards: 1 })
  })
})

describe.each(databases)('guards that are heard of, on $name', (database) => {
  const report = (server: TestAuth, name: string, options: CallOptions & { version?: string } = {}) =>
    server.call('GET', '/revocations?since=0', {
      ...options,
      headers: { 'mapae-guard': `${name.padEnd(22, '_')}; keys=${options.version ?? 'none'}` },
    })
  const rows = async ({ database }: TestAuth) =>
    (await query(database, 'select * from guards order by id')).map(
      ({ id, keys_version, seen_at, has_token }) => [
        String(id).replaceAll('_', ''),
        keys_version,
        Number(seen_at),
        Number(has_token),
      ],
    )

  test('are written down when something is new, or a minute has gone', async () => {
    const server = await startFreshAuth(database)
    const at = server.clock.now()
    await report(server, 'one')
    server.clock.advance(59)
    await report(server, 'one')
    expect(await rows(server)).toEqual([['one', 'none', at, 0]])
    await report(server, 'one', { version: 'newer' })
    expect(await rows(server)).toEqual([['one', 'newer', at + 59_000, 0]])
    server.clock.advance(60)
    await report(server, 'one', { version: 'newer' })
    expect(await rows(server)).toEqual([['one', 'newer', at + 119_000, 0]])
  })

  test('are known by the token of the feed', async () => {
    const token = 'the-token-of-the-revocation-feed'
    const server = await startFreshAuth(database)
    const closed = await startAuth(server.database, { revocationFeed: { token } })
    await report(server, 'anybody')
    await report(closed, 'stranger')
    await report(closed, 'known', { token })
    const names = async () =>
      (await server.auth.api.listGuards()).map(({ id, isKnown }) => [id.replaceAll('_', ''), isKnown]).sort()
    expect(await names()).toEqual([
      ['anybody', false],
      ['known', true],
    ])
    // A feed that is closed from now on.
    await report(closed, 'anybody', { token })
    expect(await names()).toEqual([
      ['anybody', true],
      ['known', true],
    ])
  })

  test('are of bounded number and cost where they need not prove anything, and leave room for others', async () => {
    const server = await startFreshAuth(database)
    const count = async () => (await rows(server)).length
    for (let guard = 0; guard < 105; guard++) await report(server, `a${guard}`, { address: '203.0.113.7' })
    expect(await count()).toBe(100)
    await report(server, 'other', { address: '198.51.100.1' })
    expect(await count()).toBe(101)

    for (let version = 0; version < 30; version++) await report(server, 'other', { version: `v${version}` })
    expect((await rows(server)).at(-1)?.slice(0, 2)).toEqual(['other', 'v18'])
    server.clock.advance(600)
    await report(server, 'other', { version: 'v30' })
    await report(server, 'b', { address: '203.0.113.7' })
    expect((await rows(server)).at(-1)?.slice(0, 2)).toEqual(['other', 'v30'])
    expect(await count()).toBe(102)
  })
})

describe.each(databases)('a signing key that is withdrawn, on $name', (database) => {
  test('signs no more and proves nothing; a new one signs, and nobody is logged out', async () => {
    const server = await startFreshAuth(database)
    const other = await startAuth(server.database)
    const [guard, far] = [guardOf(server), guardOf(other)]
    const person = await server.register()
    const stolen = kidOf(person)
    expect([await judged(guard, person), await judged(far, person)]).toEqual(['admitted', 'admitted'])

    const withdrawal = await server.auth.api.withdrawKey(stolen)
    expect(withdrawal).toMatchObject({ type: 'withdrawn', signing: { status: 'active' } })
    for (const one of [guard, far])
      await vi.waitFor(async () => expect(await judged(one, person)).toBe('401 invalid_token'), SOON)
    expect(await publishedKids(server)).not.toContain(stolen)
    const me = await server.call('GET', '/auth/me', { token: person.json.access_token })
    expect([me.status, me.json.code]).toEqual([401, 'invalid_token'])

    const renewed = await other.refresh(person.json)
    expect(renewed.status).toBe(200)
    expect(kidOf(renewed)).not.toBe(stolen)
    for (const one of [guard, far])
      await vi.waitFor(async () => expect(await judged(one, renewed)).toBe('admitted'), SOON)
    const events = [...server.events, ...other.events].map(({ type }) => type)
    expect(events).toContain('signing_key.withdrawn')
    expect(events).toContain('session.access_token_withdrawn')
    const audit = await query(
      server.database,
      "select detail from audit where type = 'signing_key.withdrawn'",
    )
    expect(audit).toEqual([{ detail: JSON.stringify({ kid: stolen }) }])
    expect(await server.auth.api.withdrawKey(stolen)).toEqual({ type: 'withdrawn_before' })
    expect(await server.auth.api.withdrawKey('nobody’s')).toEqual({ type: 'unknown' })
  })

  test('stays refused when a guard has asked the key set, which by then has no such key', async () => {
    const server = await startFreshAuth(database)
    let asked = 0
    const guard = guardOf(server, {
      fetch: (url, init) => {
        if (new Headers(init?.headers).get('cache-control') === 'no-cache') asked += 1
        return server.auth.fetch(new Request(url, init))
      },
    })
    const person = await server.register()
    expect(await judged(guard, person)).toBe('admitted')
    await server.auth.api.withdrawKey(kidOf(person))
    await vi.waitFor(async () => expect(await judged(guard, person)).toBe('401 invalid_token'), SOON)
    server.clock.advance(31)
    await vi.waitFor(() => expect(asked).toBeGreaterThan(0), SOON)
    const other = await server.register()
    await vi.waitFor(async () => expect(await judged(guard, other)).toBe('admitted'), SOON)
    expect(await judged(guard, person)).toBe('401 invalid_token')
  })

  test('takes no other along: what its thief says, who also carries the feed, is denied by the key set', async () => {
    const server = await startFreshAuth(database)
    const stolen = kidOf(await server.register())
    server.clock.advance(1)
    const { kid: honest } = await server.auth.api.rotateKeys({ signsNow: true })
    const lie = await forgedWithdrawal(server, { stolen, honest })
    const errors: unknown[] = []
    const relayed: typeof globalThis.fetch = async (url, init) => {
      const { body, headers } = await server.auth.fetch(new Request(url, init))
      return new Response(body?.pipeThrough(saidFirst(`data: ${lie}\n\n`)), { headers })
    }
    const guard = guardOf(server, {
      revocations: { url: `${URL_OF_AUTH}/revocations`, fetch: relayed },
      onError: (error) => errors.push(error),
    })
    const person = await server.register()
    await vi.waitFor(async () => expect(await judged(guard, person)).toBe('401 invalid_token'), SOON)
    server.clock.advance(41)
    await vi.waitFor(async () => expect(await judged(guard, person)).toBe('admitted'), SOON)
    expect(errors.join()).toContain(stolen)

    await server.auth.api.withdrawKey(stolen)
    const other = await server.register()
    await vi.waitFor(async () => expect(await judged(guard, other)).toBe('admitted'), SOON)
    await server.call('POST', '/auth/logout', { token: other.json.access_token })
    await vi.waitFor(async () => expect(await judged(guard, other)).toBe('401 invalid_token'), SOON)
    expect(await judged(guard, person)).toBe('admitted')
  })

  test('gives way to the next one, where that is published already: guards hold it', async () => {
    const server = await startFreshAuth(database)
    const stolen = kidOf(await server.register())
    const next = await server.auth.api.rotateKeys()
    await server.auth.api.withdrawKey(stolen)
    expect(Object.fromEntries(await statuses(server))).toEqual({
      [next.kid]: 'active',
      [stolen]: 'withdrawn',
    })
    expect(kidOf(await server.register())).toBe(next.kid)
  })

  test('before it signs leaves the one that does, which has another successor in time', async () => {
    const server = await startFreshAuth(database, { signingKeyLifetime: 10 * DAY })
    const active = kidOf(await server.register())
    server.clock.advance(9 * DAY)
    await server.auth.api.sweep()
    const next = (await server.auth.api.listKeys())[0]?.kid ?? ''
    await server.auth.api.withdrawKey(next)
    await server.auth.api.sweep()
    expect((await statuses(server)).map(([, status]) => status).sort()).toEqual([
      'active',
      'next',
      'withdrawn',
    ])
    server.clock.advance(2 * DAY)
    const signing = kidOf(await server.register())
    expect([active, next]).not.toContain(signing)
  })

  test('signs nothing that a guard believes: what its thief tells of revocations is passed over', async () => {
    const server = await startFreshAuth(database)
    const person = await server.register()
    await server.auth.api.withdrawKey(kidOf(person))
    const answer = await server.call('GET', '/revocations?since=0')
    const { sets }: { sets: readonly string[] } = JSON.parse(answer.text)
    for (const set of sets) expect(decodeUnverified(set).header.kid).not.toBe(kidOf(person))
  })
})

/** Signed by whoever has the database and the secret, and so each key. */
async function forgedWithdrawal(
  { database, clock }: TestAuth,
  { stolen, honest }: { stolen: string; honest: string },
): Promise<string> {
  const [row] = await query(database, `select private_wrapped from signing_keys where kid = '${stolen}'`)
  const jwk = JSON.parse(unwrap(deriveSecrets([SECRET]), String(row?.['private_wrapped']), stolen) ?? '')
  const sign = createSigner({ key: importKey(jwk, { kid: stolen }), typ: setType })
  const says = { type: 'key_withdrawn', kid: honest } as const
  return sign({
    iss: URL_OF_AUTH,
    aud: feedAudience(URL_OF_AUTH),
    iat: clock.now() / 1000,
    jti: 'forged',
    ...claimsOf({ prev: BEGINNING, upTo: BEGINNING, says }, URL_OF_AUTH),
  })
}

function saidFirst(text: string): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(text)) })
}
