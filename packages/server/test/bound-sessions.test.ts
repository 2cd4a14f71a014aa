import { createGuard } from '@mapae/guard'
import { decodeUnverified } from '@mapae/jwt'
import { beforeAll, describe, expect, test } from 'vitest'
import { databases, type TestDatabase } from '../../../test-support/databases.ts'
import { type Device, startDevice } from '../../../test-support/device.ts'
import { type BoundClient, startBoundClient } from './bound-client.ts'
import { query, queryAround, readTables } from './read-database.ts'
import {
  type Answer,
  atTheEnd,
  PASSWORD,
  SECRET,
  START,
  someEmail,
  startAuth,
  type TestAuth,
  URL_OF_AUTH,
} from './start-auth.ts'

const OTHER_SECRET = 'another server secret, also of 32 characters or more'

describe.each(databases)('bound sessions, on $name', ({ open }) => {
  let database: TestDatabase
  let server: TestAuth
  beforeAll(async () => {
    database = await open()
    atTheEnd(() => database.close())
    server = await startAuth(database)
  })
  async function openFresh(): Promise<TestDatabase> {
    const fresh = await open()
    atTheEnd(() => fresh.close())
    return fresh
  }
  const code = ({ status, json }: Answer) => [status, json.code]
  const rowOf = async ({ json }: Answer) =>
    (await query(database, `select * from sessions where id = '${json.session_id}'`))[0]
  /** The session's row stays as it is. */
  async function unchanged(session: Answer, work: () => Promise<void>): Promise<void> {
    const before = await rowOf(session)
    await work()
    expect(await rowOf(session)).toEqual(before)
  }
  const stolen = ({ json }: Answer) => ({ body: { refresh_token: json.refresh_token } })

  describe('opening one', () => {
    test('takes a proof with a nonce: the server asks for it once, and answers with tokens of the key', async () => {
      const client = await startBoundClient(server)
      const email = someEmail()
      const body = { email, password: PASSWORD }
      const asked = await client.once('POST', '/auth/register', { body })
      expect(code(asked)).toEqual([400, 'use_dpop_nonce'])
      expect(asked.json).toMatchObject({ error: 'use_dpop_nonce', error_description: asked.json.detail })
      expect(asked.headers.get('dpop-nonce')).toBe(client.nonce())
      expect(asked.headers.get('cache-control')).toBe('no-store')

      const registered = await client.once('POST', '/auth/register', { body })
      const { jkt } = client.device
      expect([registered.status, registered.json.token_type]).toEqual([201, 'DPoP'])
      expect(registered.headers.get('authorization')).toBe(`DPoP ${registered.json.access_token}`)
      expect(decodeUnverified(registered.json.access_token).claims['cnf']).toEqual({ jkt })
      expect(await rowOf(registered)).toMatchObject({ jkt, transport: 'header' })

      const loggedIn = await client.login({ email })
      expect([loggedIn.status, loggedIn.json.token_type]).toEqual([200, 'DPoP'])
      expect(await rowOf(loggedIn)).toMatchObject({ jkt })
      expect((await client.me(loggedIn.json.access_token)).json.user.email).toBe(email)
    })

    test('without a proof leaves the session unbound', async () => {
      const { json } = await server.register()
      expect(json.token_type).toBe('Bearer')
      expect(decodeUnverified(json.access_token).claims).not.toHaveProperty('cnf')
    })

    test('is header delivery, for a browser too, and refuses cookies', async () => {
      const client = await startBoundClient(server)
      const body = { email: someEmail(), password: PASSWORD }
      const asked = await client.call('POST', '/auth/register', { body: { ...body, transport: 'cookie' } })
      expect(code(asked)).toEqual([400, 'invalid_request'])
      expect(asked.setCookies).toEqual([])
      const browser = { body, headers: { origin: URL_OF_AUTH, 'sec-fetch-site': 'same-origin' } }
      const answer = await client.call('POST', '/auth/register', browser)
      expect([answer.status, answer.json.token_type, answer.setCookies]).toEqual([201, 'DPoP', []])
    })

    test('with a faulty proof is refused with 400 and opens nothing', async () => {
      const device = await startDevice()
      const email = someEmail()
      await server.register({ email })
      const sessions = (await readTables(database))['sessions']
      const nonce = await freshNonce(server, device)
      const about = { method: 'POST', url: `${URL_OF_AUTH}/auth/login`, now: START, nonce }
      const proofs = [
        '',
        'abc',
        await device.proof({ ...about, method: 'GET' }),
        await device.proof({ ...about, url: `${URL_OF_AUTH}/auth/register` }),
        await device.proof({ ...about, url: 'https://evil.example/auth/login' }),
        await device.proof({ ...about, token: 'an access token that does not go along' }),
        `${await device.proof(about)}, ${await device.proof(about)}`,
      ]
      for (const dpop of proofs) {
        const answer = await server.login({ email }, { headers: { dpop } })
        expect(code(answer)).toEqual([400, 'invalid_dpop_proof'])
        expect(answer.json).toMatchObject({ error: 'invalid_dpop_proof' })
        expect(answer.headers.get('dpop-nonce')).not.toBeNull()
      }
      expect((await readTables(database))['sessions']).toEqual(sessions)
    })

    test.each(['Host', 'X-Forwarded-Host'])(
      'never asks the field %s which address a proof is for',
      async (field) => {
        const device = await startDevice()
        const nonce = await freshNonce(server, device)
        const url = 'https://evil.example/auth/login'
        const dpop = await device.proof({ method: 'POST', url, now: START, nonce })
        const headers = { dpop, [field]: 'evil.example', 'x-forwarded-proto': 'https' }
        const body = { identifier: 'nobody', password: PASSWORD }
        const request = new Request(url, {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { ...headers, 'content-type': 'application/json' },
        })
        const refused = await server.auth.fetch(request)
        expect(await refused.json()).toMatchObject({ status: 400, code: 'invalid_dpop_proof' })
      },
    )

    test('serves a device whose clock is years off: the nonce tells the age of its proofs', async () => {
      for (const clock of [() => 0, () => START + 10 ** 11]) {
        const client = await startBoundClient(server, { clock })
        const { json } = await client.register()
        expect((await client.me(json.access_token)).status).toBe(200)
        expect((await client.refresh(json)).status).toBe(200)
      }
    })
  })

  describe('being served', () => {
    const requests = [
      ['GET', '/auth/me', 200],
      ['GET', '/auth/sessions', 200],
      ['DELETE', '/auth/sessions', 200],
      ['DELETE', '/auth/sessions/AAAAAAAAAAAAAAAAAAAAAAAAAA', 404],
    ] as const

    test.each(requests)('takes a proof for %s %s', async (method, path, status) => {
      const client = await startBoundClient(server)
      const { json } = await client.register()
      expect((await client.call(method, path, { token: json.access_token })).status).toBe(status)
    })

    test.each<readonly [string, string]>([
      ...requests.map(([method, path]) => [method, path] as const),
      ['POST', '/auth/logout'],
    ])('refuses the stolen access token at %s %s, however it is presented', async (method, path) => {
      const client = await startBoundClient(server)
      const session = await client.register()
      const token = session.json.access_token
      const thief = await startBoundClient(server)
      await unchanged(session, async () => {
        const asBearer = await server.call(method, path, { token })
        expect(code(asBearer)).toEqual([401, 'invalid_token'])
        expect(asBearer.headers.get('www-authenticate')).toMatch(
          /^Bearer error="invalid_token", error_description="[^"]+bound to a key[^"]+", DPoP algs="ES256 /,
        )
        const inCookie = await server.call(method, path, {
          cookies: { '__Host-mapae_access': token },
          headers: { 'sec-fetch-site': 'same-origin' },
        })
        expect(code(inCookie)).toEqual([401, 'invalid_token'])

        const bare = await server.call(method, path, { headers: { authorization: `DPoP ${token}` } })
        const withOwnKey = await thief.call(method, path, { token })
        for (const answer of [bare, withOwnKey]) {
          expect(code(answer)).toEqual([401, 'invalid_dpop_proof'])
          expect(answer.headers.get('www-authenticate')).toMatch(
            /^Bearer, DPoP error="invalid_dpop_proof", error_description="[^"]+", algs="ES256 [^"]+"$/,
          )
        }
      })
    })

    test('asks for a nonce with 401 and a challenge', async () => {
      const client = await startBoundClient(server)
      const token = (await client.register()).json.access_token
      const fresh = await startBoundClient(server, { device: client.device })
      const asked = await fresh.once('GET', '/auth/me', { token })
      expect(code(asked)).toEqual([401, 'use_dpop_nonce'])
      expect(asked.headers.get('www-authenticate')).toMatch(/^Bearer, DPoP error="use_dpop_nonce", /)
      expect(asked.headers.get('dpop-nonce')).toBe(fresh.nonce())
      expect((await fresh.once('GET', '/auth/me', { token })).status).toBe(200)
    })

    test('refuses an unbound token with DPoP, whatever its proof', async () => {
      const client = await startBoundClient(server)
      const { json } = await server.register()
      const answer = await client.me(json.access_token)
      expect(code(answer)).toEqual([401, 'invalid_token'])
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer, DPoP error="invalid_token", /)
      expect((await server.call('GET', '/auth/me', { token: json.access_token })).status).toBe(200)
    })

    test('gives the next nonce with every answer but those that may be cached', async () => {
      const client = await startBoundClient(server)
      const token = (await client.register()).json.access_token
      expect((await client.me(token)).headers.get('dpop-nonce')).toBe(client.nonce())
      const keys = await client.call('GET', '/.well-known/jwks.json')
      expect(keys.headers.has('dpop-nonce')).toBe(false)
      expect((await server.call('GET', '/auth/me', { token })).headers.has('dpop-nonce')).toBe(false)
    })

    test('tells server code who is asking, by the proof', async () => {
      const client = await startBoundClient(server)
      const { json } = await client.register()
      const token = json.access_token
      const url = `${URL_OF_AUTH}/orders?page=2`
      const nonce = client.nonce()
      const dpop = await client.device.proof({ method: 'GET', url, now: START, token, nonce })
      const ask = (headers: Record<string, string>) =>
        server.auth.api.getSession(new Request(url, { headers }))
      expect(await ask({ authorization: `Bearer ${token}` })).toBeNull()
      expect(await ask({ authorization: `DPoP ${token}` })).toBeNull()
      expect((await ask({ authorization: `DPoP ${token}`, dpop }))?.sessionId).toBe(json.session_id)
      expect(await ask({ authorization: `DPoP ${token}`, dpop })).toBeNull()
    })
  })

  describe('renewing one', () => {
    test('takes the expired access token and a proof over it, and does not rotate', async () => {
      const own = await startAuth(database)
      const client = await startBoundClient(own)
      const first = await client.register()
      own.clock.advance(301)
      expect(code(await client.me(first.json.access_token))).toEqual([401, 'invalid_token'])

      const second = await client.refresh(first.json)
      expect([second.status, second.json.token_type]).toEqual([200, 'DPoP'])
      expect(second.json.refresh_token).toBe(first.json.refresh_token)
      expect(second.json.access_token).not.toBe(first.json.access_token)
      expect(second.headers.get('authorization')).toBe(`DPoP ${second.json.access_token}`)
      expect((await client.me(second.json.access_token)).status).toBe(200)
      const row = await rowOf(first)
      expect([row?.['generation'], Number(row?.['rotated_at'])]).toEqual([1, START + 301_000])
    })

    test('works any number of times, at once and with old tokens: nothing is spent', async () => {
      const client = await startBoundClient(server)
      const first = await client.register()
      const answers = await Promise.all(Array.from({ length: 8 }, () => client.refresh(first.json)))
      expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
      expect(new Set(answers.map(({ json }) => json.refresh_token))).toEqual(
        new Set([first.json.refresh_token]),
      )
      expect(new Set(answers.map(({ json }) => json.access_token)).size).toBe(8)
      const attempt = { headers: { 'idempotency-key': 'one-attempt-id-of-22-or-more' } }
      for (const _ of [1, 2, 3]) expect((await client.refresh(first.json, attempt)).status).toBe(200)
      expect(server.events.filter(({ type }) => type === 'session.reuse_detected')).toEqual([])
    })

    test('pushes the idle end out, and the absolute end stays', async () => {
      const idle = { sessionIdleLifetime: 1000, sessionLifetime: 1500 }
      const own = await startAuth(database, idle)
      const client = await startBoundClient(own)
      const first = await client.register()
      own.clock.advance(900)
      const second = await client.refresh(first.json)
      expect([second.status, second.json.refresh_expires_in]).toEqual([200, 600])
      own.clock.advance(500)
      const third = await client.refresh(second.json)
      expect([third.json.expires_in, third.json.refresh_expires_in]).toEqual([100, 100])
      own.clock.advance(100)
      const last = await client.refresh(third.json)
      expect([...code(last), last.json.end_reason]).toEqual([401, 'session_ended', 'expired'])
    })

    test('ends when it was not used', async () => {
      const own = await startAuth(database, { sessionIdleLifetime: 1000 })
      const client = await startBoundClient(own)
      const first = await client.register()
      own.clock.advance(1000)
      const late = await client.refresh(first.json)
      expect([...code(late), late.json.end_reason]).toEqual([401, 'session_ended', 'idle_expired'])
    })

    test('tells why it ended, to the holder of the key alone', async () => {
      const client = await startBoundClient(server)
      const first = await client.register()
      await client.call('POST', '/auth/logout', stolen(first))
      const answer = await client.refresh(first.json)
      expect([...code(answer), answer.json.end_reason]).toEqual([401, 'session_ended', 'logout'])
      const thief = await startBoundClient(server)
      const told = await thief.refresh(first.json)
      expect(code(told)).toEqual([400, 'invalid_dpop_proof'])
      expect(told.json).not.toHaveProperty('end_reason')
    })

    describe('with the stolen pair, but not the key', () => {
      let session: Answer
      let owner: BoundClient
      beforeAll(async () => {
        owner = await startBoundClient(server)
        session = await owner.register()
      })

      test.each<readonly [string, () => Promise<Answer>]>([
        ['as Bearer', () => server.refresh(session.json)],
        ['as Bearer with a proof of the thief', () => asBearer()],
        ['as DPoP without a proof', () => asDpop()],
        ['as DPoP with a proof of the thief', () => withOwnKey()],
        [
          'as DPoP with a proof that the owner made for another address',
          () => asDpop(proofOfOwner('/auth/me')),
        ],
        [
          'as DPoP with a proof that the owner made without the token',
          () => asDpop(proofOfOwner('/auth/refresh')),
        ],
      ])('%s is invalid_dpop_proof, is written down, and changes nothing', async (_, present) => {
        await unchanged(session, async () => {
          const heard = server.events.length
          const answer = await present()
          expect(code(answer)).toEqual([400, 'invalid_dpop_proof'])
          expect(answer.json).not.toHaveProperty('access_token')
          expect(server.events.slice(heard)).toEqual([
            expect.objectContaining({ type: 'session.proof_refused', sessionId: session.json.session_id }),
          ])
        })
        expect((await owner.refresh(session.json)).status).toBe(200)
      })

      test('in cookies is refused, with or without a proof', async () => {
        const { access_token, refresh_token } = session.json
        const cookies = { '__Host-mapae_access': access_token, '__Host-mapae_refresh': refresh_token }
        const headers = { 'sec-fetch-site': 'same-origin' }
        await unchanged(session, async () => {
          const bare = await server.call('POST', '/auth/refresh', { cookies, headers })
          expect(code(bare)).toEqual([400, 'invalid_dpop_proof'])
          const proved = await owner.call('POST', '/auth/refresh', { cookies, headers, token: access_token })
          expect(code(proved)).toEqual([400, 'invalid_request'])
          const token = await server.call('POST', '/auth/token', { cookies, headers })
          expect(code(token)).toEqual([400, 'invalid_dpop_proof'])
          for (const answer of [bare, proved, token]) expect(answer.setCookies).toEqual([])
        })
      })

      test('is not renewed in the course of an API request', async () => {
        const own = await startAuth(database)
        own.clock.advance(301)
        const { access_token, refresh_token } = session.json
        const guard = createGuard({
          issuer: URL_OF_AUTH,
          keys: own.auth.keys,
          renew: own.auth.renew,
          clock: own.clock.now,
        })
        for (const scheme of ['Bearer', 'DPoP']) {
          const headers = new Headers({
            authorization: `${scheme} ${access_token}`,
            'mapae-refresh-token': refresh_token,
          })
          const request = {
            method: 'GET',
            url: '/orders',
            header: (name: string) => headers.get(name) ?? undefined,
          }
          expect(await guard.check(request)).toMatchObject({ status: 401, body: { code: 'invalid_token' } })
          expect(await own.auth.renew(request)).toMatchObject({ status: 400, code: 'invalid_dpop_proof' })
        }
      })

      const proofOfOwner = (path: string) =>
        owner.device.proof({ method: 'POST', url: URL_OF_AUTH + path, now: START, nonce: owner.nonce() })
      const asDpop = async (proof?: Promise<string>) => {
        const authorization = `DPoP ${session.json.access_token}`
        const headers = { authorization, ...(proof && { dpop: await proof }) }
        return server.call('POST', '/auth/refresh', { ...stolen(session), headers })
      }
      const withOwnKey = async () => (await startBoundClient(server)).refresh(session.json)
      const asBearer = async () => {
        const authorization = `Bearer ${session.json.access_token}`
        return (await startBoundClient(server)).refresh(session.json, { headers: { authorization } })
      }
    })

    test('of the thief with its own bound access token is refused: both tokens must be of one session', async () => {
      const owner = await startBoundClient(server)
      const session = await owner.register()
      const thief = await startBoundClient(server)
      const own = await thief.register()
      await unchanged(session, async () => {
        const answer = await thief.refresh({ ...own.json, refresh_token: session.json.refresh_token })
        expect(code(answer)).toEqual([401, 'invalid_token'])
      })
    })

    test('without the access token needs the proof all the same, where that token is not required', async () => {
      const own = await startAuth(database, { accessTokenOnRefresh: 'verified-if-sent' })
      const owner = await startBoundClient(own)
      const session = await owner.register()
      await unchanged(session, async () => {
        expect(code(await own.call('POST', '/auth/refresh', stolen(session)))).toEqual([
          400,
          'invalid_dpop_proof',
        ])
        const thief = await startBoundClient(own)
        expect(code(await thief.call('POST', '/auth/refresh', stolen(session)))).toEqual([
          400,
          'invalid_dpop_proof',
        ])
      })
      expect((await owner.call('POST', '/auth/refresh', stolen(session))).status).toBe(200)
    })

    test('by the holder of the key takes the DPoP scheme: a bound token is never a bearer token', async () => {
      const client = await startBoundClient(server)
      const { json } = await client.register()
      const headers = { authorization: `Bearer ${json.access_token}` }
      expect(code(await client.refresh(json, { headers }))).toEqual([400, 'invalid_dpop_proof'])
      expect((await client.refresh(json)).status).toBe(200)
    })

    test('refuses an access token of the session that is bound to another key than its row', async () => {
      const client = await startBoundClient(server)
      const session = await client.register()
      const other = await startBoundClient(server)
      await query(
        database,
        `update sessions set jkt = '${other.device.jkt}' where id = '${session.json.session_id}'`,
      )
      await unchanged(session, async () => {
        for (const by of [client, other])
          expect(code(await by.refresh(session.json))).toEqual([401, 'invalid_token'])
      })
    })

    test('of an unbound session with a proof is refused: a session is never bound later', async () => {
      const client = await startBoundClient(server)
      const session = await server.register()
      await unchanged(session, async () => {
        const authorization = `Bearer ${session.json.access_token}`
        for (const headers of [{}, { authorization }]) {
          const answer = await client.refresh(session.json, { headers })
          expect(code(answer)).toEqual([400, 'invalid_dpop_proof'])
        }
      })
      expect((await server.refresh(session.json)).status).toBe(200)
    })

    test('goes on when the key that signed its access token was withdrawn, for the holder of the key alone', async () => {
      const own = await startAuth(await openFresh())
      const client = await startBoundClient(own)
      const { json } = await client.register()
      await query(own.database, 'update signing_keys set withdrawn_at = 1')
      own.clock.advance(11)
      const thief = await startBoundClient(own)
      expect(code(await own.refresh(json))).toEqual([400, 'invalid_dpop_proof'])
      expect(code(await thief.refresh(json))).toEqual([400, 'invalid_dpop_proof'])
      expect((await client.refresh(json)).status).toBe(200)
    })

    test('races with its end: the answer is new tokens or session_ended, and then it stays ended', async () => {
      for (let times = 0; times < 5; times++) {
        const client = await startBoundClient(server)
        const { json } = await client.register()
        const logout = () =>
          client.call('POST', '/auth/logout', { body: { refresh_token: json.refresh_token } })
        const answers = await Promise.all([
          client.refresh(json),
          client.refresh(json),
          logout(),
          client.refresh(json),
        ])
        for (const { status, json } of answers)
          expect([[200], [204], [401, 'session_ended']]).toContainEqual(
            status === 401 ? [status, json.code] : [status],
          )
        expect(code(await client.refresh(json))).toEqual([401, 'session_ended'])
      }
    })

    test('of a session that ends after it was read gives nothing', async () => {
      const client = await startBoundClient(server)
      const { json } = await client.register()
      const ends = `update sessions set ended_at = 1, end_reason = 'logout' where id = '${json.session_id}'`
      let answer: Promise<Answer> | undefined
      await queryAround(database, ends, async () => {
        answer = client.refresh(json)
        await new Promise((done) => setTimeout(done, 200))
      })
      const { status, json: said } = (await answer) ?? {}
      expect([status, said?.code, said?.end_reason]).toEqual([401, 'session_ended', 'logout'])
    })

    test('answers 503, not 401, when proofs cannot be remembered', async () => {
      const own = await startAuth(await openFresh(), { onEvent: () => {} })
      const client = await startBoundClient(own)
      const { json } = await client.register()
      await query(own.database, 'drop table dpop_proofs')
      expect(code(await client.refresh(json))).toEqual([503, 'store_unavailable'])
      expect(code(await client.me(json.access_token))).toEqual([503, 'store_unavailable'])
      expect(code(await client.login({ identifier: 'nobody' }))).toEqual([503, 'store_unavailable'])
    })

    test('goes on when the server secret changes, and when the older one is gone', async () => {
      const client = await startBoundClient(server)
      const first = await client.register()
      const both = await startBoundClient(
        await startAuth(database, { secret: [OTHER_SECRET, SECRET] }),
        client,
      )
      const second = await both.refresh(first.json)
      expect(second.status).toBe(200)
      expect(second.json.refresh_token).not.toBe(first.json.refresh_token)
      expect((await both.refresh(first.json)).json.refresh_token).toBe(second.json.refresh_token)
      expect((await client.refresh(second.json)).status).toBe(401) // a replica that does not know the new secret yet
      const late = await startAuth(database, { secret: OTHER_SECRET })
      await late.auth.api.rotateKeys({ signsNow: true })
      const third = await (await startBoundClient(late, client)).refresh(second.json)
      expect([third.status, third.json.refresh_token]).toEqual([200, second.json.refresh_token])
    })

    test('answers 503 when the row was made with a secret that this replica does not have yet', async () => {
      const client = await startBoundClient(server)
      const first = await client.register()
      const newer = await startAuth(database, { secret: [OTHER_SECRET, SECRET] })
      await (await startBoundClient(newer, client)).refresh(first.json)
      expect(code(await client.refresh(first.json))).toEqual([503, 'store_unavailable'])
    })
  })

  describe('changing the password', () => {
    const body = { current_password: PASSWORD, new_password: 'another good password' }
    const path = '/auth/password'

    test('opens a new session that is bound to the same key', async () => {
      const client = await startBoundClient(server)
      const old = await client.register({ remember: false })
      const changed = await client.call('POST', path, { body, token: old.json.access_token })
      const { jkt } = client.device
      expect([changed.status, changed.json.token_type]).toEqual([200, 'DPoP'])
      expect(decodeUnverified(changed.json.access_token).claims['cnf']).toEqual({ jkt })
      expect(await rowOf(changed)).toMatchObject({ jkt, remembered: 0 })
      expect(await rowOf(old)).toMatchObject({ end_reason: 'password_changed' })
      expect(code(await (await startBoundClient(server)).refresh(changed.json))).toEqual([
        400,
        'invalid_dpop_proof',
      ])
      expect((await client.refresh(changed.json)).status).toBe(200)
    })

    test('takes a proof by that key, and changes nothing without', async () => {
      const client = await startBoundClient(server)
      const session = await client.register()
      const token = session.json.access_token
      const thief = await startBoundClient(server)
      await unchanged(session, async () => {
        expect(code(await server.call('POST', path, { body, token }))).toEqual([401, 'invalid_token'])
        expect(code(await thief.call('POST', path, { body, token }))).toEqual([401, 'invalid_dpop_proof'])
      })
      expect((await client.login({ email: session.json.user.email })).status).toBe(200)
    })
  })

  describe('ending one', () => {
    test('takes the refresh token alone, as revocation does (RFC 7009)', async () => {
      const client = await startBoundClient(server)
      const session = await client.register()
      expect((await server.call('POST', '/auth/logout', stolen(session))).status).toBe(204)
      expect(await rowOf(session)).toMatchObject({ end_reason: 'logout' })
    })

    test('takes the access token with a proof', async () => {
      const client = await startBoundClient(server)
      const session = await client.register()
      expect((await client.call('POST', '/auth/logout', { token: session.json.access_token })).status).toBe(
        204,
      )
      expect(await rowOf(session)).toMatchObject({ end_reason: 'logout' })
    })
  })

  describe('a proof', () => {
    async function proved(server: TestAuth) {
      const client = await startBoundClient(server)
      const { access_token: token } = (await client.register()).json
      const about = { method: 'GET', url: `${URL_OF_AUTH}/auth/me`, token, nonce: client.nonce() }
      const make = (changes = {}) => client.device.proof({ ...about, now: server.clock.now() }, changes)
      const show = (dpop: string, at = server) =>
        at.call('GET', '/auth/me', { headers: { authorization: `DPoP ${token}`, dpop } })
      return { client, make, show, token, about }
    }

    test('works once, on all replicas together', async () => {
      const replica = await startAuth(database)
      const { make, show } = await proved(server)
      const proof = await make()
      expect((await show(proof, replica)).status).toBe(200)
      for (const at of [server, replica])
        expect(code(await show(proof, at))).toEqual([401, 'invalid_dpop_proof'])
    })

    test('works once of twenty times at once on two replicas', async () => {
      const replica = await startAuth(database)
      const { make, show } = await proved(server)
      const proof = await make()
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => show(proof, index % 2 ? server : replica)),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(new Set(answers.map(({ json }) => json.code))).toEqual(
        new Set([undefined, 'invalid_dpop_proof']),
      )
    })

    test('cannot be used up by another client with the same jti', async () => {
      const { make, show } = await proved(server)
      const other = await proved(server)
      const same = { claims: { jti: 'the same' } }
      expect((await other.show(await other.make(same))).status).toBe(200)
      expect((await show(await make(same))).status).toBe(200)
      expect(code(await show(await make(same)))).toEqual([401, 'invalid_dpop_proof'])
    })

    test('that is refused is not remembered, so that nobody fills the table', async () => {
      const { make, show, about } = await proved(server)
      const thief = await startDevice()
      const count = async () => (await readTables(database))['dpop_proofs']?.length
      const before = await count()
      for (const proof of [
        await make({ claims: { htm: 'POST' } }),
        await thief.proof({ ...about, now: START }),
        'x',
      ])
        expect((await show(proof)).status).toBe(401)
      expect(await count()).toBe(before)
    })

    test('is taken with the nonce of the last 150 s and of those before, and no longer', async () => {
      const own = await startAuth(database)
      own.clock.advance(150 - ((START / 1000) % 150)) // the very beginning of a nonce
      const { client, make, show, about } = await proved(own)
      own.clock.advance(299)
      expect((await show(await make())).status).toBe(200)
      own.clock.advance(1) // the access token expires now, so that another request shows it
      const late = { ...about, method: 'POST', url: `${URL_OF_AUTH}/auth/login`, token: undefined, now: 0 }
      const dpop = await client.device.proof(late)
      expect(code(await own.login({ email: 'nobody@example.com' }, { headers: { dpop } }))).toEqual([
        400,
        'use_dpop_nonce',
      ])
    })

    test('needs a nonce of this server', async () => {
      const { make, show, about } = await proved(server)
      const elsewhere = await startAuth(database, { secret: OTHER_SECRET })
      const nonce = await freshNonce(elsewhere, await startDevice())
      expect(nonce).not.toBe(about.nonce)
      for (const foreign of [undefined, '', 'x', 7, nonce, `${about.nonce}x`])
        expect(code(await show(await make({ claims: { nonce: foreign } })))).toEqual([401, 'use_dpop_nonce'])
      expect((await show(await make())).status).toBe(200)
    })

    test('keeps working over a step of the clock, with one more round at most', async () => {
      const own = await startAuth(database, { accessTokenLifetime: 100_000 })
      const { client, make, show, token } = await proved(own)
      for (const step of [50_000, -100, 7200, -3600, 30_000, -40_000]) {
        own.clock.advance(step)
        expect((await client.me(token)).status).toBe(200)
        const proof = await make({ claims: { nonce: client.nonce() } })
        expect((await show(proof)).status).toBe(200)
        expect(code(await show(proof))).toEqual([401, 'invalid_dpop_proof'])
      }
    })

    test('is remembered while it could be used again, also when the clock steps back, and then swept', async () => {
      const fresh = await openFresh()
      const own = await startAuth(fresh, { accessTokenLifetime: 100_000 })
      const { client, make, show, token } = await proved(own)
      const proof = await make()
      expect((await show(proof)).status).toBe(200)
      const proofs = async () => (await readTables(fresh))['dpop_proofs']?.length ?? 0
      own.clock.advance(200)
      for (let times = 0; times < 110; times++) await client.me(token)
      own.clock.advance(-30)
      expect(code(await show(proof))).toEqual([401, 'invalid_dpop_proof'])
      expect(await proofs()).toBeGreaterThan(110)
      own.clock.advance(1000)
      const kept = await proofs()
      for (let times = 0; times < 110; times++) await client.me(token)
      expect(await proofs()).toBe(kept + 110)
      expect(await own.auth.api.sweep()).toMatchObject({ dpop_proofs: kept })
      expect(await proofs()).toBe(110)
    })
  })
})

/** The nonce that a server gives to a client without one. */
async function freshNonce(server: TestAuth, device: Device): Promise<string> {
  const url = `${URL_OF_AUTH}/auth/login`
  const dpop = await device.proof({ method: 'POST', url, now: START })
  const asked = await server.login({ identifier: 'nobody' }, { headers: { dpop } })
  expect(asked.json.code).toBe('use_dpop_nonce')
  return asked.headers.get('dpop-nonce') ?? ''
}
