import { createJwkSet, createVerifier, decodeUnverified, importKey, type Jwk } from '@mapae/jwt'
import { AuthError } from '@mapae/server'
import { describe, expect, test } from 'vitest'
import { databases, type TestDatabase } from '../../../test-support/databases.ts'
import { query, readEverything } from './read-database.ts'
import { type Answer, SECRET, startAuth, startFreshAuth, type TestAuth, URL_OF_AUTH } from './start-auth.ts'

const NEWER_SECRET = 'a newer server secret, also 32 characters or more'
const DAY = 86_400

const kidOf = (answer: Answer) => decodeUnverified(answer.json.access_token).header.kid
const jwksOf = async ({ call }: TestAuth) => (await call('GET', '/.well-known/jwks.json')).json
const kidsOf = async (server: TestAuth) => (await jwksOf(server)).keys.map((key) => key['kid'])
const verifies = async (server: TestAuth, token: string) => {
  const keys = createJwkSet((await jwksOf(server)).keys.map((jwk) => importKey(jwk as Jwk)))
  const verify = createVerifier({
    keys,
    issuer: URL_OF_AUTH,
    audience: URL_OF_AUTH,
    typ: 'at+jwt',
    clock: server.clock.now,
  })
  return verify(token).claims.sub
}
const freshDatabase = async ({ open }: (typeof databases)[number]): Promise<TestDatabase> =>
  (await startFreshAuth({ name: 'sqlite', open })).database

describe.each(databases)('signing keys, on $name', (database) => {
  describe('as published', () => {
    test.each([
      { signingAlgorithm: 'ES256' as const, members: ['crv', 'kty', 'x', 'y'] },
      { signingAlgorithm: 'Ed25519' as const, members: ['crv', 'kty', 'x'] },
      { signingAlgorithm: 'RS256' as const, members: ['e', 'kty', 'n'] },
    ])(
      '$signingAlgorithm keys show public members only, and verify',
      async ({ signingAlgorithm, members }) => {
        const server = await startFreshAuth(database, { signingAlgorithm })
        const { json } = await server.register()
        const answer = await server.call('GET', '/.well-known/jwks.json')
        expect(answer.status).toBe(200)
        expect(answer.headers.get('content-type')).toBe('application/jwk-set+json')
        expect(answer.headers.get('cache-control')).toBe('public, max-age=300, s-maxage=10')
        expect(answer.json.keys).toHaveLength(1)
        const [jwk = {}] = answer.json.keys
        expect(Object.keys(jwk).sort()).toEqual(['alg', 'kid', 'use', ...members].sort())
        expect(jwk).toMatchObject({ alg: signingAlgorithm, use: 'sig' })
        expect(await verifies(server, json.access_token)).toBe(json.user.id)
      },
    )

    test('are there before anybody has logged in, for caches keep what they get', async () => {
      const server = await startFreshAuth(database)
      const [before] = await kidsOf(server)
      expect(before).toEqual(expect.any(String))
      expect(kidOf(await server.register())).toBe(before)
    })

    test('are said to be as of when they were read, and from a database that is away no longer than they can be right', async () => {
      const server = await startFreshAuth(database, { onEvent: () => {} })
      const ask = async () => {
        const { status, json, headers } = await server.call('GET', '/.well-known/jwks.json')
        return [status, json.as_of ?? json.code, headers.get('cache-control')]
      }
      await kidsOf(server)
      const read = server.clock.now()
      server.clock.advance(11)
      expect(await ask()).toEqual([200, read + 11_000, 'public, max-age=300, s-maxage=10'])
      await query(server.database, 'alter table signing_keys rename to gone')
      server.clock.advance(300)
      expect(await ask()).toEqual([200, read + 11_000, 'public, max-age=300, s-maxage=10'])
      server.clock.advance(295)
      expect(await ask()).toEqual([200, read + 11_000, 'public, max-age=5, s-maxage=5'])
      server.clock.advance(5)
      expect((await ask()).slice(0, 2)).toEqual([503, 'store_unavailable'])
      await query(server.database, 'alter table gone rename to signing_keys')
      expect((await ask()).slice(0, 2)).toEqual([200, read + 611_000])
    })

    test('are one, although many ask at once at first', async () => {
      const server = await startFreshAuth(database)
      const sets = await Promise.all(Array.from({ length: 12 }, () => kidsOf(server)))
      const answers = await Promise.all(Array.from({ length: 12 }, () => server.register()))
      expect(new Set(sets.flat()).size).toBe(1)
      expect(new Set(answers.map(kidOf))).toEqual(new Set(sets.flat()))
      expect(await server.auth.api.listKeys()).toHaveLength(1)
    })
  })

  describe('rotated', () => {
    test('are published for twice the cache time before they sign, and as long as their tokens live after', async () => {
      const server = await startFreshAuth(database)
      const old = kidOf(await server.register())
      const made = await server.auth.api.rotateKeys()
      expect(made).toMatchObject({ status: 'next', algorithm: 'ES256' })
      expect(await kidsOf(server)).toEqual([made.kid, old])

      server.clock.advance(599)
      const last = await server.register()
      expect(kidOf(last), 'a second before').toBe(old)

      server.clock.advance(1)
      const first = await server.register()
      expect(kidOf(first), 'from its moment on').toBe(made.kid)
      expect(await server.auth.api.listKeys()).toMatchObject([
        { kid: made.kid, status: 'active' },
        { kid: old, status: 'retired' },
      ])

      for (const answer of [last, first]) {
        expect(await verifies(server, answer.json.access_token)).toBe(answer.json.user.id)
        const me = await server.call('GET', '/auth/me', { token: answer.json.access_token })
        expect(me.status).toBe(200)
      }
      server.clock.advance(899)
      expect(await kidsOf(server), 'its last token has expired, and caches may still ask').toEqual([
        made.kid,
        old,
      ])
      server.clock.advance(1)
      expect(await kidsOf(server)).toEqual([made.kid])
    })

    test('still prove the expired token of a renewal, long after they left the key set', async () => {
      const server = await startFreshAuth(database)
      const session = await server.register()
      await server.auth.api.rotateKeys()
      server.clock.advance(29 * DAY)
      expect(await kidsOf(server)).not.toContain(kidOf(session))
      const renewed = await server.refresh(session.json)
      expect(renewed.status).toBe(200)
      expect(kidOf(renewed)).not.toBe(kidOf(session))
    })

    test('at once, sign at once', async () => {
      const server = await startFreshAuth(database)
      await server.register()
      server.clock.advance(1)
      const made = await server.auth.api.rotateKeys({ signsNow: true })
      expect(made.status).toBe('active')
      server.clock.advance(1)
      expect(kidOf(await server.register())).toBe(made.kid)
    })

    test('stay published for the longest access lifetime that the database ever saw', async () => {
      const long = await startFreshAuth(database, { accessTokenLifetime: 7200 })
      const session = await long.register()
      await long.auth.close()

      const short = await startAuth(long.database, { accessTokenLifetime: 60 })
      await short.register()
      await short.auth.api.rotateKeys()
      short.clock.advance(600 + 7000)
      expect(await kidsOf(short)).toContain(kidOf(session))
    })
  })

  describe('of two replicas', () => {
    test('are seen by each other: what one signs, the other admits', async () => {
      const one = await startFreshAuth(database)
      const other = await startAuth(one.database)
      const [first, second] = [await one.register(), await other.register()]
      expect(kidOf(second)).toBe(kidOf(first))
      expect((await other.call('GET', '/auth/me', { token: first.json.access_token })).status).toBe(200)
      expect((await one.call('GET', '/auth/me', { token: second.json.access_token })).status).toBe(200)
      expect((await other.refresh(first.json)).status).toBe(200)

      for (const { clock } of [one, other]) clock.advance(1)
      const { kid } = await one.auth.api.rotateKeys({ signsNow: true })
      for (const { clock } of [one, other]) clock.advance(2)
      const third = await one.register()
      expect(kidOf(third)).toBe(kid)
      expect((await other.call('GET', '/auth/me', { token: third.json.access_token })).status).toBe(200)
      for (const { clock } of [one, other]) clock.advance(10)
      expect(kidOf(await other.register()), 'both sign with it').toBe(kid)
      expect(await kidsOf(other)).toEqual(await kidsOf(one))
    })

    test('need no time to know a key: what one has just made and signed with, the other renews', async () => {
      const one = await startFreshAuth(database)
      const other = await startAuth(one.database)
      const first = await one.register()
      expect((await other.refresh(first.json)).status, 'the other has its keys').toBe(200)
      for (const [maker, reader] of [
        [one, other],
        [other, one],
        [one, other],
      ] as const) {
        for (const { clock } of [one, other]) clock.advance(0.001)
        const { kid } = await maker.auth.api.rotateKeys({ signsNow: true })
        const made = await maker.login({ email: first.json.user.email })
        expect(kidOf(made)).toBe(kid)
        expect((await reader.refresh(made.json)).status).toBe(200)
      }
    })

    test('answer many tokens of made-up keys at once, and still know a new key', async () => {
      const one = await startFreshAuth(database)
      const other = await startAuth(one.database)
      const { json } = await other.register()
      for (const { clock } of [one, other]) clock.advance(0.001)
      await one.auth.api.rotateKeys({ signsNow: true })
      const made = await one.login({ email: json.user.email })
      const forged = Array.from({ length: 40 }, (_, index) => {
        const header = { ...decodeUnverified(json.access_token).header, kid: `made-up-${index}` }
        const [, payload, signature] = json.access_token.split('.')
        return [Buffer.from(JSON.stringify(header)).toString('base64url'), payload, signature].join('.')
      })
      const answers = await Promise.all([
        ...forged.map((token) => other.call('GET', '/auth/me', { token })),
        other.call('GET', '/auth/me', { token: made.json.access_token }),
      ])
      expect(answers.pop()?.status).toBe(200)
      for (const answer of answers) expect([answer.status, answer.json.code]).toEqual([401, 'invalid_token'])
    })

    test('that start at once make one key', async () => {
      const one = await startFreshAuth(database)
      const replicas = [one, await startAuth(one.database), await startAuth(one.database)]
      await Promise.all(replicas.map(({ auth }) => auth.ready()))
      const [kids, ...others] = await Promise.all(replicas.map(kidsOf))
      expect(kids).toHaveLength(1)
      expect(others).toEqual([kids, kids])
    })

    test('that start at once on an empty database serve each other', async () => {
      const one = await startFreshAuth(database)
      const other = await startAuth(one.database)
      const [first, second] = await Promise.all([one.register(), other.register()])
      expect([first.status, second.status]).toEqual([201, 201])
      const kid = kidOf(first)
      expect([kidOf(second), await kidsOf(one), await kidsOf(other)], 'by one key').toEqual([
        kid,
        [kid],
        [kid],
      ])
      expect((await other.call('GET', '/auth/me', { token: first.json.access_token })).status).toBe(200)
      expect((await one.call('GET', '/auth/me', { token: second.json.access_token })).status).toBe(200)
      for (const { clock } of [one, other]) clock.advance(10)
      expect(kidOf(await other.register())).toBe(kidOf(await one.register()))
    })
  })

  describe('and the server secret', () => {
    test('private keys are encrypted at rest: the database alone signs nothing', async () => {
      const server = await startFreshAuth(database)
      await server.register()
      const [row = {}] = await query(server.database, 'select * from signing_keys')
      expect(Object.keys(JSON.parse(String(row['public_jwk'])))).not.toContain('d')
      expect(row['private_wrapped']).toMatch(/^[\w-]{6}\.[\w-]{16}\.[\w-]{100,}$/)
      const everything = await readEverything(server.database)
      for (const plain of ['"d":', '"d\\":', 'PRIVATE KEY', SECRET]) expect(everything).not.toContain(plain)
    })

    test('another secret opens none of them, and takes none of the sessions', async () => {
      const server = await startFreshAuth(database)
      const session = await server.register()
      const stranger = await startAuth(server.database, { secret: NEWER_SECRET })
      expect(kidOf(await stranger.register())).not.toBe(kidOf(session))
      const renewal = await stranger.refresh(session.json)
      expect([renewal.status, renewal.json.code]).toEqual([401, 'invalid_grant'])
      expect((await server.refresh(session.json)).status, 'nothing was changed').toBe(200)
    })

    test('a wrapped key that was moved to another row or tampered with opens nothing', async () => {
      const server = await startFreshAuth(database)
      const before = kidOf(await server.register())
      await query(
        server.database,
        `update signing_keys set private_wrapped = replace(private_wrapped, substr(private_wrapped, 40, 8), 'AAAAAAAA') returning kid`,
      )
      server.clock.advance(10)
      const after = await server.register()
      expect(after.status, 'a new key signs').toBe(201)
      expect(kidOf(after)).not.toBe(before)
    })

    test('a list of secrets, newest first, reads what the older ones made', async () => {
      const before = await startFreshAuth(database)
      const header = await before.register()
      const cookie = await before.register({ transport: 'cookie' })
      await before.auth.close()

      const both = await startAuth(before.database, { secret: [NEWER_SECRET, SECRET] })
      expect(kidOf(await both.register()), 'the key goes on signing').toBe(kidOf(header))
      const renewed = await both.refresh(header.json)
      expect(renewed.status).toBe(200)
      expect(renewed.json.refresh_token.slice(0, 10)).not.toBe(header.json.refresh_token.slice(0, 10))
      const byCookie = await both.call('POST', '/auth/refresh', {
        cookies: cookie.cookies,
        headers: { origin: URL_OF_AUTH },
      })
      expect(byCookie.status).toBe(200)
      const retried = await both.refresh(header.json)
      expect(retried.json.refresh_token, 'a retry of the older token').toBe(renewed.json.refresh_token)
      await both.auth.close()

      const after = await startAuth(before.database, { secret: NEWER_SECRET })
      const again = await after.refresh(renewed.json)
      expect(again.status, 'renewed once, it needs the old secret no more').toBe(200)
      const { code } = (await after.refresh(header.json)).json
      expect(code, 'made with a secret that is gone').toBe('invalid_grant')
    })

    test('a secret that is too short is refused at once', async () => {
      const { url } = await freshDatabase(database)
      await expect(startAuth({ url, close: async () => {} }, { secret: 'short' })).rejects.toThrow(AuthError)
    })
  })
})
