import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { exportJwk, generateKey, importKey, type JwtClaims, type Key, signJwt } from '@mapae/jwt'
import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { unwrap } from '../src/key-wrapping.ts'
import { deriveSecrets } from '../src/server-secret.ts'
import { query, readTables } from './read-database.ts'
import { type Answer, SECRET, startAuth, startFreshAuth, type TestAuth } from './start-auth.ts'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString())

describe.each(databases)('forged access tokens, on $name', (database) => {
  let server: TestAuth
  let mine: Answer
  let parts: readonly [header: string, payload: string, signature: string]
  let header: Readonly<Record<string, unknown>>
  let claims: JwtClaims
  let stolenKey: Key
  let publicJwk: Readonly<Record<string, string>>

  beforeAll(async () => {
    server = await startFreshAuth(database)
    mine = await server.register()
    const [head = '', payload = '', signature = ''] = mine.json.access_token.split('.')
    parts = [head, payload, signature]
    header = decode(head)
    claims = decode(payload)
    const [row = {}] = await query(server.database, 'select * from signing_keys')
    const opened = unwrap(deriveSecrets([SECRET]), String(row['private_wrapped']), String(row['kid']))
    stolenKey = importKey(JSON.parse(opened ?? ''), { kid: String(row['kid']) })
    publicJwk = JSON.parse(String(row['public_jwk']))
  })

  /** What the rows say; refused tokens that come with an authentic refresh token are written down, and no more. */
  const rows = async () => {
    const { audit: _, ...tables } = await readTables(server.database)
    return tables
  }

  const refused = async (token: string) => {
    const before = await rows()
    for (const [method, path] of [
      ['GET', '/auth/me'],
      ['GET', '/auth/sessions'],
      ['DELETE', '/auth/sessions'],
      ['DELETE', `/auth/sessions/${mine.json.session_id}`],
      ['POST', '/auth/refresh'],
    ] as const) {
      const body = path === '/auth/refresh' ? { body: { refresh_token: mine.json.refresh_token } } : {}
      const answer = await server.call(method, path, { token, ...body })
      expect([answer.status, answer.json.code], `${method} ${path} ${answer.text}`).toEqual([
        401,
        'invalid_token',
      ])
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(answer.headers.get('www-authenticate')).toMatch(
        /^Bearer error="invalid_token", error_description="[^"]+", DPoP algs="[^"]+"$/,
      )
      expect(answer.text).not.toContain(token)
    }
    expect((await server.call('POST', '/auth/logout', { token })).status).toBe(204)
    expect(await rows()).toEqual(before)
    expect((await server.call('GET', '/auth/me', { token: mine.json.access_token })).status).toBe(200)
    expect(server.events.filter(({ type }) => type === 'error')).toEqual([])
  }

  const signed = (head: object, payload: object, key: KeyObject) => {
    const input = `${encode(head)}.${encode(payload)}`
    return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }

  test('the honest one is served: what follows is refused for its own fault', async () => {
    const answer = await server.call('GET', '/auth/me', {
      token: signJwt({ key: stolenKey, claims, typ: 'at+jwt' }),
    })
    expect(answer.status).toBe(200)
  })

  test.each([
    { claim: 'sub', value: 'somebody-else' },
    { claim: 'roles', value: ['admin'] },
    { claim: 'exp', value: 9_999_999_999 },
    { claim: 'epoch', value: 99 },
    { claim: 'sid', value: '0'.repeat(26) },
  ])('with another $claim under the same signature', ({ claim, value }) =>
    refused([parts[0], encode({ ...claims, [claim]: value }), parts[2]].join('.')),
  )

  test('with a header or a signature that was touched', async () => {
    const last = parts[2].at(-1) === 'A' ? 'B' : 'A'
    await refused([encode({ ...header, extra: 1 }), parts[1], parts[2]].join('.'))
    await refused([parts[0], parts[1], `${parts[2].slice(0, -1)}${last}`].join('.'))
    await refused([parts[0], parts[1], [...parts[2]].reverse().join('')].join('.'))
    await refused([parts[0], parts[1], Buffer.alloc(64).toString('base64url')].join('.'))
  })

  test('truncated, lengthened, or of another number of parts', async () => {
    const token = parts.join('.')
    for (const forged of [
      token.slice(0, -1),
      token.slice(0, 40),
      `${token}A`,
      `${token}=`,
      `${token}.`,
      `.${token}`,
      `${parts[0]}.${parts[1]}`,
      `${parts[0]}.${parts[1]}.`,
      `..${parts[2]}`,
      '..',
      'x',
      parts[0],
      'a.b.c',
      `${token}.${parts[2]}.${parts[2]}`,
      'k'.repeat(16_000),
    ]) {
      await refused(forged)
    }
  })

  test('written another way: padding, standard base64, loose bits', async () => {
    const standard = parts[2].replaceAll('-', '+').replaceAll('_', '/')
    if (standard !== parts[2]) await refused([parts[0], parts[1], standard].join('.'))
    await refused([parts[0], parts[1], `${parts[2]}==`].join('.'))
    const token = [`${parts[0]}=`, parts[1], parts[2]].join('.')
    const padded = await server.call('GET', '/auth/me', { token })
    expect([padded.status, padded.json.code], 'not even a b64token').toEqual([400, 'invalid_request'])
  })

  test.each(['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'ES384', 'ES256K', 'RS256', 'EdDSA', null, 0])(
    'whose header names the algorithm %j',
    async (alg) => {
      await refused([encode({ ...header, alg }), parts[1], ''].join('.'))
      await refused([encode({ ...header, alg }), parts[1], parts[2]].join('.'))
    },
  )

  test('signed with HMAC under our public key, in any of its spellings', async () => {
    const key = createPublicKey({ key: publicJwk, format: 'jwk' })
    const pem = key.export({ type: 'spki', format: 'pem' })
    for (const secret of [
      pem,
      String(pem).trim(),
      key.export({ type: 'spki', format: 'der' }),
      JSON.stringify(publicJwk),
    ]) {
      const input = `${encode({ ...header, alg: 'HS256' })}.${parts[1]}`
      await refused(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`)
    }
  })

  test('signed by a foreign key, whatever its header says of where to find it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = publicKey.export({ format: 'jwk' })
    const jku = 'https://evil.example/jwks.json'
    for (const more of [
      {},
      { kid: 'unknown' },
      { kid: undefined },
      { kid: 1 },
      { kid: '../../../dev/null' },
      { kid: "' or 1=1 --" },
      { jwk },
      { jwk, kid: undefined },
      { jku },
      { x5u: jku },
      { x5c: ['MIIB'] },
      { crit: ['exp'] },
      { b64: false, crit: ['b64'] },
    ]) {
      await refused(signed({ ...header, ...more }, claims, privateKey))
    }
    const foreign = generateKey('ES256')
    await refused(signJwt({ key: foreign, claims, typ: 'at+jwt' }))
    const named = importKey(exportJwk(foreign, { dangerouslyIncludePrivate: true }), { kid: stolenKey.kid })
    await refused(signJwt({ key: named, claims, typ: 'at+jwt' }))
  })

  test('swapped: of another session of the same person, and of another person', async () => {
    const another = await server.register()
    const renewal = await server.refresh({ ...mine.json, access_token: another.json.access_token })
    expect([renewal.status, renewal.json.code]).toEqual([401, 'invalid_token'])
    const email = another.json.user.email
    const second = await server.login({ email })
    const crossed = await server.refresh({ ...another.json, access_token: second.json.access_token })
    expect([crossed.status, crossed.json.code]).toEqual([401, 'invalid_token'])
    expect((await server.refresh(another.json)).status, 'nothing was spent').toBe(200)
  })

  test('of another auth server', async () => {
    const other = await startFreshAuth(database, { url: 'https://auth.other.example' })
    await refused((await other.register()).json.access_token)
  })

  test('of another issuer under our own key, and for another audience', async () => {
    const sameKeys = await startAuth(server.database, { url: 'https://auth.other.example' })
    await refused((await sameKeys.register()).json.access_token)
    await refused(
      signJwt({ key: stolenKey, claims: { ...claims, iss: 'https://evil.example' }, typ: 'at+jwt' }),
    )

    const elsewhere = signJwt({
      key: stolenKey,
      claims: { ...claims, aud: 'https://api.example.com' },
      typ: 'at+jwt',
    })
    const me = await server.call('GET', '/auth/me', { token: elsewhere })
    expect([me.status, me.json.code]).toEqual([401, 'invalid_token'])
  })

  test('of another type under our own key', async () => {
    for (const typ of ['JWT', 'dpop+jwt', 'logout+jwt', 'secevent+jwt', 'application/jwt'])
      await refused(signJwt({ key: stolenKey, claims, typ }))
    const { typ: _, ...untyped } = header
    await refused(signed(untyped, claims, keyObjectOf(stolenKey)))
  })

  test.each(['sub', 'sid', 'epoch', 'jti', 'iat', 'client_id', 'iss'])(
    'without %s, or with one of the wrong type, under our own key',
    async (claim) => {
      const { [claim]: _, ...rest } = claims
      await refused(signed(header, rest, keyObjectOf(stolenKey)))
      await refused(signed(header, { ...rest, [claim]: { $ne: null } }, keyObjectOf(stolenKey)))
      await refused(signed(header, { ...rest, [claim]: null }, keyObjectOf(stolenKey)))
    },
  )

  test('that is not in date is refused by the API, and forgiven by renewal alone', async () => {
    const now = server.clock.now() / 1000
    for (const changes of [{ exp: now }, { exp: now - 9999 }, { iat: now + 6, exp: now + 300 }]) {
      const token = signJwt({ key: stolenKey, claims: { ...claims, ...changes }, typ: 'at+jwt' })
      const me = await server.call('GET', '/auth/me', { token })
      expect([me.status, me.json.code], JSON.stringify(changes)).toEqual([401, 'invalid_token'])
    }
  })

  test('of a session that is not there', () =>
    refused(signJwt({ key: stolenKey, claims: { ...claims, sid: '0'.repeat(26) }, typ: 'at+jwt' })))
})

function keyObjectOf(key: Key): KeyObject {
  return createPrivateKey({
    key: JSON.parse(JSON.stringify(exportJwk(key, { dangerouslyIncludePrivate: true }))),
    format: 'jwk',
  })
}
