import { createGuard, type GuardOptions, type GuardRequest, type Needs } from '@mapae/guard'
import { createJwkSet, createRemoteJwkSet, generateKey, signJws } from '@mapae/jwt'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startDevice } from '../../../test-support/device.ts'
import { type Issuer, renewalOf, start, startIssuer } from './issuer.ts'

let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
beforeEach(() => Object.assign(issuer.state, { now: start, status: 200, fetches: 0 }))
afterAll(() => issuer.close())

const guardWith = (options: Partial<GuardOptions> = {}) =>
  createGuard({ issuer: issuer.url, clock: issuer.clock, ...options })

function ask(
  options: { method?: string; headers?: Record<string, string>; url?: string } = {},
): GuardRequest {
  const headers = new Headers(options.headers)
  const { method = 'GET', url = '/orders' } = options
  return { method, url, header: (name) => headers.get(name) ?? undefined }
}

const bearer = (token: string, more: Record<string, string> = {}) =>
  ask({ headers: { authorization: `Bearer ${token}`, ...more } })

async function refusal(request: GuardRequest, options: Partial<GuardOptions> = {}, needs?: Needs) {
  const admission = await guardWith(options).check(request, needs)
  if (admission.type !== 'refused') throw new Error('was admitted')
  const fields = new Map(admission.headers)
  expect(fields.get('content-type')).toBe('application/problem+json')
  expect(admission.body).toMatchObject({
    type: `urn:mapae:error:${admission.body.code}`,
    status: admission.status,
  })
  return {
    status: admission.status,
    code: admission.body.code,
    detail: admission.body.detail,
    challenge: fields.get('www-authenticate'),
    retryAfter: fields.get('retry-after'),
    admission,
  }
}

describe('a good token', () => {
  test('is admitted with its claims, by the key set of the issuer, which is fetched once', async () => {
    const guard = guardWith()
    const token = issuer.token({ roles: ['admin'], 'https://shop.example/plan': 'gold' })
    for (let times = 0; times < 3; times++) {
      const admission = await guard.check(bearer(token))
      expect(admission).toMatchObject({ type: 'admitted', token, headers: [] })
      if (admission.type !== 'admitted') continue
      const { sub, sid, epoch, roles, ...rest } = admission.claims
      expect({ sub, sid, epoch, roles }).toEqual({
        sub: 'account-1',
        sid: 'session-1',
        epoch: 0,
        roles: ['admin'],
      })
      expect(rest['https://shop.example/plan']).toBe('gold')
    }
    expect(issuer.state.fetches).toBe(1)
  })

  test('is admitted by keys at hand without calling anyone', async () => {
    const guard = guardWith({ keys: createJwkSet([issuer.key]) })
    expect((await guard.check(bearer(issuer.token()))).type).toBe('admitted')
    expect(issuer.state.fetches).toBe(0)
  })

  test.each([undefined, 0])(
    'is admitted at once where nothing has to be waited for (tokenCache: %s)',
    async (tokenCache) => {
      const fetched = createRemoteJwkSet(`${issuer.url}/.well-known/jwks.json`, { clock: issuer.clock })
      await fetched.refresh()
      const [token, other] = [issuer.token(), issuer.token({ aud: 'https://other.example' })]
      for (const keys of [fetched, createJwkSet([issuer.key])]) {
        const guard = guardWith({ keys, tokenCache })
        for (const one of [token, token]) expect(guard.check(bearer(one))).toMatchObject({ type: 'admitted' })
        expect(guard.check(bearer(other))).toMatchObject({ type: 'refused', status: 401 })
        expect(guard.check(ask())).toMatchObject({ type: 'refused', status: 401 })
      }
    },
  )

  test.each([undefined, 0])(
    'has claims that nobody can change, and that a copy is no match for (tokenCache: %s)',
    async (tokenCache) => {
      const guard = guardWith({ tokenCache })
      const admission = await guard.check(bearer(issuer.token()))
      const claims = admission.type === 'admitted' ? admission.claims : undefined
      expect(Object.isFrozen(claims)).toBe(true)
      expect(Reflect.ownKeys(claims ?? {}).sort()).toEqual(Object.keys(issuer.claims()).sort())
      expect(guard.hasAdmitted(claims)).toBe(true)
      for (const other of [
        { ...claims },
        structuredClone(claims),
        Object.create(claims ?? null),
        'text',
        1,
        null,
        undefined,
      ])
        expect(guard.hasAdmitted(other)).toBe(false)
      expect(guardWith({ tokenCache }).hasAdmitted(claims)).toBe(false)
    },
  )

  test('is admitted from another issuer, which knows no sessions', async () => {
    const token = issuer.token({ sid: undefined, epoch: undefined })
    expect((await guardWith().check(bearer(token))).type).toBe('admitted')
  })

  test('may be meant for one of several audiences', async () => {
    const guard = guardWith({ audience: ['https://a.example', 'https://b.example'] })
    const token = issuer.token({ aud: ['https://b.example', 'https://c.example'] })
    expect((await guard.check(bearer(token))).type).toBe('admitted')
  })

  test('is fetched for with the fetch that was given', async () => {
    const asked: string[] = []
    const fetch: typeof globalThis.fetch = async (url) => {
      asked.push(String(url))
      return Response.json(createJwkSet([issuer.key]))
    }
    const guard = guardWith({ issuer: 'https://auth.example/', audience: 'x', fetch })
    const token = issuer.token({ iss: 'https://auth.example/', aud: 'x' })
    expect((await guard.check(bearer(token))).type).toBe('admitted')
    expect(asked).toEqual(['https://auth.example/.well-known/jwks.json', 'https://auth.example/revocations'])
  })
})

describe('without a token', () => {
  test('the answer is 401 token_required with a bare challenge', async () => {
    const { status, code, challenge } = await refusal(ask())
    expect({ status, code, challenge }).toEqual({ status: 401, code: 'token_required', challenge: 'Bearer' })
  })

  test('another scheme is no token', async () => {
    const request = ask({ headers: { authorization: 'Basic dXNlcjpwYXNz' } })
    expect(await refusal(request)).toMatchObject({ status: 401, code: 'token_required', challenge: 'Bearer' })
  })

  test('a token in the URL is no token', async () => {
    const token = issuer.token()
    expect(await refusal(ask({ url: `/orders?access_token=${token}` }))).toMatchObject({
      code: 'token_required',
    })
  })
})

describe('a malformed credential', () => {
  test.each(['Bearer', 'Bearer a b', 'Bearer a, Bearer b', ''])(
    '%j is 400 invalid_request',
    async (value) => {
      const { status, code, challenge } = await refusal(ask({ headers: { authorization: value } }))
      expect({ status, code }).toEqual({ status: 400, code: 'invalid_request' })
      expect(challenge).toMatch(/^Bearer error="invalid_request", error_description="/)
    },
  )

  test('never makes the guard reject, nor the answer repeat it', async () => {
    const guard = guardWith({ keys: issuer.key })
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 12 }), async (value) => {
        const fields = new Map([
          ['authorization', `Bearer ${value}`],
          ['cookie', `${issuer.cookie}=${value}`],
        ])
        const admission = await guard.check({ method: 'GET', url: '/', header: (name) => fields.get(name) })
        expect(admission.type).toBe('refused')
        expect(JSON.stringify(admission)).not.toContain(value)
      }),
    )
  })
})

describe('a bad token', () => {
  const cases: readonly (readonly [string, () => string, string])[] = [
    ['is no JWT', () => 'abc', 'three segments'],
    ['is too long', () => 'a'.repeat(9000), 'longer than'],
    ['was tampered with', () => tampered(issuer.token()), 'signature'],
    ['was signed with another key of the same name', () => forged(), 'signature'],
    ['was signed with an unknown key', () => issuer.token({}, { key: generateKey('ES256') }), 'No key'],
    ['has expired', () => issuer.token({ exp: start / 1000 }), 'The access token expired.'],
    ['is from the future', () => issuer.token({ iat: start / 1000 + 60 }), 'not valid yet'],
    ['is from another issuer', () => issuer.token({ iss: 'https://evil.example' }), 'another issuer'],
    ['is meant for another audience', () => issuer.token({ aud: 'https://other.example' }), 'audience'],
    ['is of another type', () => issuer.token({}, { typ: 'JWT' }), 'type'],
    ['is unsigned', () => unsigned(), 'algorithm'],
    ['is bound to a key', () => issuer.token({ cnf: { jkt: 'x' } }), 'bound to a key'],
    ['is bound and expired', () => issuer.token({ cnf: { jkt: 'x' }, exp: start / 1000 }), 'bound to a key'],
    ['has a scope of the wrong type', () => issuer.token({ scope: ['a'] }), 'The claim scope'],
    ['has roles of the wrong type', () => issuer.token({ roles: 'admin' }), 'The claim roles'],
    ['has an empty sub', () => issuer.token({ sub: '' }), 'The claim sub'],
    ...['sub', 'client_id', 'jti', 'iat', 'exp', 'aud', 'iss'].map(
      (claim) => [`lacks ${claim}`, () => without(claim), `The claim ${claim} is missing`] as const,
    ),
  ]

  test.each(cases)('that %s is 401 invalid_token and says so', async (_, make, says) => {
    const token = make()
    const { status, code, detail, challenge, admission } = await refusal(bearer(token))
    expect({ status, code }).toEqual({ status: 401, code: 'invalid_token' })
    expect(detail).toContain(says)
    expect(challenge).toMatch(/^Bearer error="invalid_token", error_description=".*"$/)
    expect(challenge).toContain(says)
    expect(JSON.stringify(admission)).not.toContain(token)
  })

  test('presented with DPoP is refused as long as proofs are not checked', async () => {
    for (const token of [issuer.token(), issuer.token({ cnf: { jkt: 'x' } })]) {
      const request = ask({ headers: { authorization: `DPoP ${token}`, dpop: 'a.b.c' } })
      expect(await refusal(request)).toMatchObject({ status: 401, code: 'invalid_token' })
    }
  })

  test('expires at the very second of its exp, and not before', async () => {
    const token = issuer.token()
    issuer.state.now = start + 299_999
    expect((await guardWith().check(bearer(token))).type).toBe('admitted')
    issuer.state.now = start + 300_000
    expect(await refusal(bearer(token))).toMatchObject({ code: 'invalid_token' })
  })

  const tampered = (token: string) => {
    const [header, payload, signature] = token.split('.')
    const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'account-2' })).toString('base64url')
    return [header, changed, signature].join('.')
  }
  const forged = () => issuer.token({}, { key: generateKey('ES256', { kid: issuer.key.kid }) })
  const without = (claim: string) => (claim === 'iat' ? withoutIat() : issuer.token({ [claim]: undefined }))
  /** The JWT signer sets `iat` where there is none. */
  const withoutIat = () => {
    const payload = Buffer.from(JSON.stringify(issuer.claims({ iat: undefined })))
    return signJws({ key: issuer.key, header: { typ: 'at+jwt' }, payload })
  }
  const unsigned = () => {
    const header = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
    return `${header}.${issuer.token().split('.')[1]}.`
  }
})

describe('scope', () => {
  test('admits a token that has every name', async () => {
    const guard = guardWith()
    const token = issuer.token({ scope: 'orders:read orders:write' })
    for (const scope of ['orders:write', 'orders:write orders:read', ['orders:read']]) {
      expect((await guard.check(bearer(token), { scope })).type).toBe('admitted')
    }
  })

  test.each([
    ['orders:read', 'orders:write'],
    ['orders:read', 'orders:read orders:write'],
    ['orders:read', 'orders'],
    ['orders:read', 'ORDERS:READ'],
    [undefined, 'orders:read'],
    ['', 'orders:read'],
  ])('%j where %j is needed is 403 insufficient_scope, and the challenge names it', async (scope, needed) => {
    const { status, code, challenge } = await refusal(bearer(issuer.token({ scope })), {}, { scope: needed })
    expect({ status, code }).toEqual({ status: 403, code: 'insufficient_scope' })
    expect(challenge).toMatch(/^Bearer error="insufficient_scope", /)
    expect(challenge).toContain(`scope="${needed}"`)
  })

  test.each(['', ' ', 'a  b', 'a"b', '마패'])('%j is no scope to need', async (scope) => {
    const check = guardWith().check(bearer(issuer.token()), { scope })
    await expect(check).rejects.toMatchObject({ code: 'options_invalid' })
  })
})

describe('when the keys cannot be had', () => {
  test('the answer is 503 keys_unavailable, never 401, and somebody hears of it', async () => {
    issuer.state.status = 500
    const heard: unknown[] = []
    const onError = (error: unknown) => heard.push(error)
    const { status, code, retryAfter, challenge } = await refusal(bearer(issuer.token()), { onError })
    expect({ status, code, retryAfter, challenge }).toEqual({
      status: 503,
      code: 'keys_unavailable',
      retryAfter: '5',
      challenge: undefined,
    })
    expect(heard).toMatchObject([{ code: 'jwks_unavailable' }])
  })

  test('the guard recovers once they can', async () => {
    const guard = guardWith()
    const token = issuer.token()
    issuer.state.status = 500
    expect((await guard.check(bearer(token))).type).toBe('refused')
    issuer.state.status = 200
    issuer.state.now += 5_000
    expect((await guard.check(bearer(token))).type).toBe('admitted')
  })

  test('a key set that is none is 503 too', async () => {
    const fetch = async () => Response.json({ hello: 'world' })
    expect(await refusal(bearer(issuer.token()), { fetch })).toMatchObject({ code: 'keys_unavailable' })
  })

  test('what never should happen is 503 guard_unavailable and tells the client nothing', async () => {
    const heard: unknown[] = []
    const keys = {
      find() {
        throw new Error('secret detail')
      },
    }
    const onError = (error: unknown) => heard.push(error)
    const { status, code, admission } = await refusal(bearer(issuer.token()), { keys, onError })
    expect({ status, code }).toEqual({ status: 503, code: 'guard_unavailable' })
    expect(JSON.stringify(admission)).not.toContain('secret')
    expect(heard).toMatchObject([{ message: 'secret detail' }])
  })
})

describe('a token in a cookie', () => {
  const withCookie = (more: { method?: string; headers?: Record<string, string>; value?: string } = {}) => {
    const { method = 'GET', headers = {}, value = issuer.token() } = more
    return ask({ method, headers: { cookie: `a=b; ${issuer.cookie}=${value}`, ...headers } })
  }

  test('is admitted', async () => {
    expect((await guardWith().check(withCookie())).type).toBe('admitted')
  })

  test('is admitted beside a credential of another scheme', async () => {
    const headers = { authorization: 'Basic dXNlcjpwYXNz' }
    expect((await guardWith().check(withCookie({ headers }))).type).toBe('admitted')
  })

  test('does not count beside an Authorization field, good or bad', async () => {
    const admission = await guardWith().check(
      withCookie({ headers: { authorization: `Bearer ${issuer.token({ sub: 'account-2' })}` } }),
    )
    expect(admission).toMatchObject({ type: 'admitted', claims: { sub: 'account-2' } })
    expect(await refusal(withCookie({ headers: { authorization: 'Bearer abc' } }))).toMatchObject({
      code: 'invalid_token',
    })
  })

  test('that was sent twice is 400 invalid_request', async () => {
    const cookie = `${issuer.cookie}=${issuer.token()}`
    const request = ask({ headers: { cookie: `${cookie}; ${cookie}` } })
    expect(await refusal(request)).toMatchObject({ status: 400, code: 'invalid_request' })
  })

  test('that is bad is 401 invalid_token', async () => {
    expect(await refusal(withCookie({ value: '' }))).toMatchObject({ status: 401, code: 'invalid_token' })
  })

  test('is taken from the host-bound name over https', async () => {
    const issuerUrl = 'https://auth.example'
    const guard = guardWith({ issuer: issuerUrl, keys: issuer.key })
    const token = issuer.token({ iss: issuerUrl, aud: issuerUrl })
    const check = (name: string) => guard.check(ask({ headers: { cookie: `${name}=${token}` } }))
    expect((await check('__Host-mapae_access')).type).toBe('admitted')
    expect((await check('mapae_access_443')).type).toBe('refused')
  })

  test('is taken from the name that was given, and then from no other', async () => {
    const guard = guardWith({ accessCookie: '__Secure-mapae_access' })
    const cookie = `__Secure-mapae_access=${issuer.token()}`
    expect((await guard.check(ask({ headers: { cookie } }))).type).toBe('admitted')
    expect((await guard.check(withCookie())).type).toBe('refused')
  })

  test("does not count with credentials 'header', nor Authorization with 'cookie'", async () => {
    expect(await refusal(withCookie(), { credentials: 'header' })).toMatchObject({ code: 'token_required' })
    const request = bearer(issuer.token())
    expect(await refusal(request, { credentials: 'cookie' })).toMatchObject({ code: 'token_required' })
  })

  test('does not count where the issuer could not set it', async () => {
    const guard = guardWith({ issuer: 'urn:issuer', audience: 'x', keys: issuer.key })
    const token = issuer.token({ iss: 'urn:issuer', aud: 'x' })
    expect((await guard.check(bearer(token))).type).toBe('admitted')
    const cookie = `__Host-mapae_access=${token}`
    expect(await guard.check(ask({ headers: { cookie } }))).toMatchObject({
      body: { code: 'token_required' },
    })
  })

  const app = 'https://app.example'
  test.each([
    ['POST', 'own', undefined, 'admitted'],
    ['POST', app, undefined, 'admitted'],
    ['POST', undefined, 'same-origin', 'admitted'],
    ['GET', 'https://evil.example', 'cross-site', 'admitted'],
    ['HEAD', undefined, undefined, 'admitted'],
    ['OPTIONS', undefined, 'cross-site', 'admitted'],
    ['POST', 'https://evil.example', undefined, 'refused'],
    ['POST', 'https://evil.example', 'same-origin', 'refused'],
    ['POST', 'null', 'same-origin', 'refused'],
    ['POST', undefined, 'same-site', 'refused'],
    ['POST', undefined, 'cross-site', 'refused'],
    ['POST', undefined, 'none', 'refused'],
    ['POST', undefined, undefined, 'refused'],
    ['PUT', undefined, undefined, 'refused'],
    ['PATCH', undefined, undefined, 'refused'],
    ['DELETE', undefined, undefined, 'refused'],
    ['get', undefined, undefined, 'refused'],
    ['QUERY', undefined, undefined, 'refused'],
  ])('with %s from Origin %s, Sec-Fetch-Site %s is %s', async (method, origin, site, verdict) => {
    const headers = {
      ...(origin && { origin: origin === 'own' ? issuer.url : origin }),
      ...(site && { 'sec-fetch-site': site }),
    }
    const admission = await guardWith({ allowedOrigins: [app] }).check(withCookie({ method, headers }))
    expect(admission.type).toBe(verdict)
    if (admission.type !== 'refused') return
    expect(admission).toMatchObject({ status: 403, body: { code: 'origin_not_allowed' } })
  })

  test('opens no WebSocket for a foreign page', async () => {
    const headers = { upgrade: 'websocket', connection: 'upgrade', origin: 'https://evil.example' }
    expect(await refusal(withCookie({ headers }))).toMatchObject({ code: 'origin_not_allowed' })
    const own = withCookie({ headers: { ...headers, origin: issuer.url } })
    expect((await guardWith().check(own)).type).toBe('admitted')
  })

  test("may be used by the pages of the API's own url", async () => {
    const guard = guardWith({ url: 'http://localhost:3000/api' })
    const from = (origin: string) => guard.check(withCookie({ method: 'POST', headers: { origin } }))
    expect((await from('http://localhost:3000')).type).toBe('admitted')
    expect((await from(issuer.url)).type).toBe('refused')
  })

  test('in the Authorization field needs no page: no foreign one can send it', async () => {
    const headers = { authorization: `Bearer ${issuer.token()}`, origin: 'https://evil.example' }
    expect((await guardWith().check(ask({ method: 'POST', headers }))).type).toBe('admitted')
  })
})

describe('inline renewal', () => {
  const later = 301_000
  async function check(
    refresh: string | undefined,
    more: { token?: string; needs?: Needs; method?: string } = {},
  ) {
    const { token = issuer.token(), needs, method = 'GET' } = more
    const { renew, calls } = renewalOf(issuer)
    issuer.state.now = start + later
    const cookie = `${issuer.cookie}=${token}${refresh ? `; ${issuer.refreshCookie}=${refresh}` : ''}`
    const admission = await guardWith({ renew }).check(ask({ method, headers: { cookie } }), needs)
    return { admission, calls, token }
  }

  test('admits an expired token with a new one, which goes out with the answer', async () => {
    const { admission, calls, token } = await check('good')
    if (admission.type !== 'admitted') throw new Error('was refused')
    expect(calls).toEqual(['good'])
    expect(admission.claims).toMatchObject({ sub: 'account-1', jti: 'token-2' })
    expect(admission.token).not.toBe(token)
    expect(admission.headers).toEqual([
      ['Authorization', `Bearer ${admission.token}`],
      ['Set-Cookie', `${issuer.cookie}=${admission.token}; Path=/; HttpOnly`],
      ['Cache-Control', 'private, no-store'],
    ])
    expect((await guardWith().check(bearer(admission.token))).type).toBe('admitted')
  })

  test('works for an expired token in the Authorization field too', async () => {
    const { renew } = renewalOf(issuer)
    const token = issuer.token()
    issuer.state.now = start + later
    const request = bearer(token, { cookie: `${issuer.refreshCookie}=good` })
    expect(await guardWith({ renew }).check(request)).toMatchObject({
      type: 'admitted',
      claims: { jti: 'token-2' },
    })
  })

  test('is not asked for a valid token', async () => {
    const fresh = issuer.token({ exp: (start + 2 * later) / 1000 })
    const { admission, calls } = await check('good', { token: fresh })
    expect(admission).toMatchObject({ type: 'admitted', token: fresh, headers: [] })
    expect(calls).toEqual([])
  })

  test.each<readonly [string, () => string]>([
    ['forged', () => issuer.token({}, { key: generateKey('ES256', { kid: issuer.key.kid }) })],
    ['foreign', () => issuer.token({ iss: 'https://evil.example' })],
    ['malformed', () => 'abc'],
    ['incomplete', () => issuer.token({ sub: undefined })],
    ['bound', () => issuer.token({ cnf: { jkt: 'x' } })],
  ])('is not asked for a token that is expired and %s', async (_, make) => {
    const { admission, calls } = await check('good', { token: make() })
    expect(admission).toMatchObject({ status: 401, body: { code: 'invalid_token' } })
    expect(calls).toEqual([])
  })

  test('is not asked when a foreign page sent the cookies', async () => {
    const { admission, calls } = await check('good', { method: 'POST' })
    expect(admission).toMatchObject({ status: 403, body: { code: 'origin_not_allowed' } })
    expect(calls).toEqual([])
  })

  test('without a refresh token leaves it at 401 invalid_token', async () => {
    const { admission } = await check(undefined)
    expect(admission).toMatchObject({ status: 401, body: { code: 'invalid_token' } })
  })

  test('that is refused with 401 is 401 with its code, challenged as invalid_token', async () => {
    const { admission } = await check('stale')
    expect(admission).toMatchObject({ status: 401, body: { code: 'session_ended' } })
    const description = 'error="invalid_token", error_description="The session has ended."'
    expect(admission.headers).toContainEqual(['www-authenticate', `Bearer ${description}`])
  })

  test('that is refused with 400 is 400', async () => {
    const { admission } = await check('odd')
    expect(admission).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
  })

  test('that is out of order is 503, never 401', async () => {
    const { admission } = await check('busy')
    expect(admission).toMatchObject({ status: 503, body: { code: 'database_unavailable' } })
    expect(admission.headers).toContainEqual(['retry-after', '5'])
  })

  test('that throws is 503 guard_unavailable and tells the client nothing', async () => {
    const { admission } = await check('broken')
    expect(admission).toMatchObject({ status: 503, body: { code: 'guard_unavailable' } })
    expect(JSON.stringify(admission)).not.toContain('secret')
  })

  test('hands out its token even where the scope does not suffice', async () => {
    const { admission } = await check('good', { needs: { scope: 'orders:write' } })
    expect(admission).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } })
    expect(admission.headers.map(([name]) => name)).toEqual(
      expect.arrayContaining(['Authorization', 'Set-Cookie', 'Cache-Control']),
    )
  })
})

describe('the options', () => {
  const bad: readonly (readonly [
    string,
    Partial<Record<keyof GuardOptions | 'ownClaims', unknown>>,
    RegExp,
  ])[] = [
    ['an empty issuer', { issuer: '' }, /issuer/],
    ['an issuer that is no URL, without keys', { issuer: 'auth' }, /URL/],
    ['plain http to another host', { issuer: 'http://auth.example' }, /https/],
    ['an empty audience', { audience: [] }, /audience/],
    ['keys that are none', { keys: {} }, /keys/],
    ['a tolerance below zero', { clockTolerance: -1 }, /clockTolerance/],
    ['an unknown source', { credentials: 'query' }, /credentials/],
    ['cookies of an issuer without them', { issuer: 'urn:x', keys: [], credentials: 'cookie' }, /./],
    ['an origin with a path', { allowedOrigins: ['https://app.example/'] }, /https:\/\/app\.example, not/],
    ['any origin', { allowedOrigins: ['*'] }, /allowedOrigins/],
    ['the null origin', { allowedOrigins: ['null'] }, /allowedOrigins/],
    ['a url without a host', { url: '/api' }, /url/],
    ['a cookie name that is none', { accessCookie: 'a=b' }, /accessCookie/],
    ['a renew that is no function', { renew: true }, /renew/],
    ['an onError that is no function', { onError: 'log' }, /onError/],
    ['an ownClaims that is no function', { ownClaims: true }, /ownClaims/],
    ['a cache of half a token', { tokenCache: 0.5 }, /tokenCache/],
    ['keys and discovery', { keys: [], discovery: true }, /one or the other/],
    ['a discovery over http', { issuer: 'http://auth.example', discovery: true }, /https/],
    ['metadata of nowhere', { metadata: {} }, /url/],
    ['metadata over http', { metadata: {}, url: 'http://api.example' }, /https/],
    ['metadata with a query', { metadata: {}, url: 'https://api.example/?v=1' }, /query/],
    ['metadata with a fragment', { metadata: {}, url: 'https://api.example/#' }, /fragment/],
    ['metadata with an empty scope', { metadata: { scopes: '' }, url: 'https://api.example' }, /scope/],
  ]
  test.each(bad)('are refused at once with %s', (_, options, says) => {
    const make = () => createGuard({ issuer: issuer.url, ...options } as GuardOptions)
    expect(make).toThrow(expect.objectContaining({ name: 'GuardError', code: 'options_invalid' }))
    expect(make).toThrow(says)
  })
})

describe('the memory of verified tokens', () => {
  test.each([undefined, 1, 0])('of %s changes no answer', async (tokenCache) => {
    const key = generateKey('ES256')
    const set = createJwkSet([key])
    const trusted = { keys: [key] }
    const keys = { find: (query: { alg: string }) => (trusted.keys.length > 0 ? set.find(query) : undefined) }
    const guard = guardWith({ keys, tokenCache })
    const token = issuer.token({}, { key })
    const other = issuer.token({ sub: 'account-2' }, { key })
    for (const one of [token, token, other, token])
      expect(await guard.check(bearer(one))).toMatchObject({ type: 'admitted', token: one })
    trusted.keys = []
    expect(await guard.check(bearer(token))).toMatchObject({ status: 401 })
    trusted.keys = [key]
    issuer.state.now += 300_000
    expect(await guard.check(bearer(token))).toMatchObject({ body: { detail: 'The access token expired.' } })
  })

  test('tells no bound token from itself with a proof: each request needs its own', async () => {
    const guard = guardWith({ url: 'https://api.example', keys: createJwkSet([issuer.key]) })
    const device = await startDevice()
    const token = issuer.token({ cnf: { jkt: device.jkt } })
    const proof = await device.proof({ method: 'GET', url: 'https://api.example/orders', now: start, token })
    const fields = { authorization: `DPoP ${token}`, dpop: proof }
    expect(await guard.check(ask({ headers: fields }))).toMatchObject({ type: 'admitted' })
    for (const headers of [fields, { authorization: `DPoP ${token}` }, { authorization: `Bearer ${token}` }])
      expect(await guard.check(ask({ headers }))).toMatchObject({ status: 401 })
  })

  test('gives the same claims, which nobody can change', async () => {
    const guard = guardWith()
    const token = issuer.token({ roles: ['reader'] })
    const [one, two] = [await guard.check(bearer(token)), await guard.check(bearer(token))]
    expect(one.type === 'admitted' && two.type === 'admitted' && one.claims === two.claims).toBe(true)
    if (one.type !== 'admitted') return
    expect(Object.isFrozen(one.claims) && Object.isFrozen(one.claims.roles)).toBe(true)
    expect(guard.hasAdmitted(one.claims)).toBe(true)
    expect(guard.hasAdmitted({ ...one.claims })).toBe(false)
    expect(guardWith().hasAdmitted(one.claims)).toBe(false)
  })
})

describe('the metadata of a resource (RFC 9728)', () => {
  test.each([
    ['https://api.example', '/.well-known/oauth-protected-resource'],
    ['https://api.example/', '/.well-known/oauth-protected-resource'],
    ['https://api.example/v1', '/.well-known/oauth-protected-resource/v1'],
    ['http://localhost:3000/v1/', '/.well-known/oauth-protected-resource/v1/'],
  ])('of %s are at %s', (url, path) => {
    const { metadata } = guardWith({ url, metadata: {} })
    expect(metadata).toMatchObject({ path, url: new URL(url).origin + path, document: { resource: url } })
  })

  test('say what proofs and tokens the API takes', () => {
    const at = { url: 'https://api.example', metadata: { documentation: 'https://api.example/docs' } }
    expect(guardWith({ ...at, dpop: 'require' }).metadata?.document).toMatchObject({
      dpop_bound_access_tokens_required: true,
      resource_documentation: 'https://api.example/docs',
    })
    const cookies = guardWith({ ...at, credentials: 'cookie', dpop: 'refuse' }).metadata?.document
    expect(cookies).toMatchObject({ bearer_methods_supported: [] })
    expect(cookies).not.toHaveProperty('dpop_signing_alg_values_supported')
  })
})

test('a renewed token whose own claims are not good goes out all the same, and lets nobody in', async () => {
  const ownClaims = () => {
    throw new TypeError('no plan')
  }
  const options = { issuer: issuer.url, clock: issuer.clock, renew: renewalOf(issuer).renew, ownClaims }
  const cookie = `${issuer.cookie}=${issuer.token()}; ${issuer.refreshCookie}=good`
  issuer.state.now += 301_000
  const admission = await createGuard(options).check(ask({ headers: { cookie } }))
  expect(admission).toMatchObject({ status: 401, body: { code: 'invalid_token' } })
  expect(admission.headers.map(([name]) => name)).toContain('Set-Cookie')
})
