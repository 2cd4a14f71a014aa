import { type IncomingHttpHeaders, request as send } from 'node:http'
import { createGuard, type Needs } from '@mapae/guard'
import * as guardExpress from '@mapae/guard/express'
import * as guardFastify from '@mapae/guard/fastify'
import * as guardFetch from '@mapae/guard/fetch'
import * as guardHono from '@mapae/guard/hono'
import * as guardKoa from '@mapae/guard/koa'
import * as guardNest from '@mapae/guard/nest'
import * as guardNode from '@mapae/guard/node'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Device, startDevice } from '../../../test-support/device.ts'
import { type Api, BOTH, frameworks, readPlan, type ShopGuard, STEP_UP } from './frameworks.ts'
import { type Issuer, renewalOf, start, startIssuer } from './issuer.ts'

let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
beforeEach(() => {
  issuer.state.now = start
})
afterAll(() => issuer.close())

describe.each(Object.entries(frameworks))('on %s', (framework, startApi) => {
  let api: Api
  let guard: ShopGuard
  beforeAll(async () => {
    const { renew } = renewalOf(issuer)
    guard = createGuard({ issuer: issuer.url, clock: issuer.clock, renew, ownClaims: readPlan })
    api = await startApi(guard)
  })
  afterAll(() => api.close())

  const bearer = (token = issuer.token()) => ({ authorization: `Bearer ${token}` })
  /** Cookies of a session whose access token has expired meanwhile. */
  const expired = (refresh = 'good') => {
    const cookie = `${issuer.cookie}=${issuer.token()}; ${issuer.refreshCookie}=${refresh}`
    issuer.state.now = start + 301_000
    return { cookie }
  }

  test('a protected route greets the one whom the token names', async () => {
    const answer = await ask(api, 'GET /orders', bearer())
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toEqual({ sub: 'account-1', sid: 'session-1', plan: 'free' })
    expect(answer.headers).not.toHaveProperty('authorization')
    expect(answer.headers).not.toHaveProperty('set-cookie')
  })

  test('a route is protected where it is mounted', async () => {
    expect((await ask(api, 'GET /mounted/orders', bearer())).status).toBe(200)
    expect((await ask(api, 'GET /mounted/orders')).status).toBe(401)
  })

  test('a request without a token is refused with problem JSON and a bare challenge', async () => {
    const { status, headers, body } = await ask(api, 'GET /orders')
    expect(status).toBe(401)
    expect(headers).toMatchObject({ 'www-authenticate': 'Bearer', 'cache-control': 'no-store' })
    expect(headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(JSON.parse(body)).toEqual({
      type: 'urn:mapae:error:token_required',
      title: 'Token required',
      status: 401,
      code: 'token_required',
      detail: 'This needs an access token.',
    })
  })

  test('a bad token is refused and not repeated', async () => {
    const token = issuer.token({ aud: 'https://other.example' })
    const { status, headers, body } = await ask(api, 'GET /orders', bearer(token))
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toMatch(/^Bearer error="invalid_token"/)
    expect(JSON.stringify(headers) + body).not.toContain(token)
  })

  test('a second Authorization field is not overlooked', async () => {
    const token = issuer.token()
    const { status, body } = await ask(api, 'GET /orders', {
      authorization: [`Bearer ${token}`, `Bearer ${token}`],
    })
    expect({ status, code: JSON.parse(body).code }).toEqual({ status: 400, code: 'invalid_request' })
  })

  test('a second Cookie field with the same name is not overlooked', async () => {
    const cookie = `${issuer.cookie}=${issuer.token()}`
    const { status, body } = await ask(api, 'GET /orders', { cookie: [cookie, cookie] })
    expect({ status, code: JSON.parse(body).code }).toEqual({ status: 400, code: 'invalid_request' })
  })

  test('a second Origin field is not overlooked', async () => {
    const cookie = `${issuer.cookie}=${issuer.token({ scope: 'orders:write' })}`
    const origin = [issuer.url, 'https://evil.example']
    expect((await ask(api, 'POST /orders', { cookie, origin: issuer.url })).status).toBe(201)
    const { status, body } = await ask(api, 'POST /orders', { cookie, origin })
    expect({ status, code: JSON.parse(body).code }).toEqual({ status: 403, code: 'origin_not_allowed' })
  })

  test('requireScope lets on only a token with the scope', async () => {
    const may = bearer(issuer.token({ scope: 'orders:read orders:write' }))
    expect((await ask(api, 'POST /orders', may)).status).toBe(201)
    const { status, headers, body } = await ask(api, 'POST /orders', bearer())
    expect(status).toBe(403)
    expect(headers['www-authenticate']).toContain('scope="orders:write"')
    expect(JSON.parse(body).code).toBe('insufficient_scope')
  })

  test('protect itself can need a scope', async () => {
    const may = bearer(issuer.token({ scope: 'orders:read orders:write' }))
    expect((await ask(api, 'GET /needs', may)).status).toBe(200)
    expect((await ask(api, 'GET /needs', bearer())).status).toBe(403)
  })

  test('own claims reach the handler as the guard has read them, and what they cannot be is refused', async () => {
    const gold = bearer(issuer.token({ 'https://shop.example/plan': 'gold' }))
    expect(JSON.parse((await ask(api, 'GET /orders', gold)).body)).toMatchObject({ plan: 'gold' })
    const odd = await ask(api, 'GET /orders', bearer(issuer.token({ 'https://shop.example/plan': 1 })))
    expect({ status: odd.status, code: JSON.parse(odd.body).code }).toEqual({
      status: 401,
      code: 'invalid_token',
    })
  })

  test('a header wins over a cookie, good or bad', async () => {
    const cookie = `${issuer.cookie}=${issuer.token({ sub: 'of-the-cookie' })}`
    const both = await ask(api, 'GET /orders', { ...bearer(), cookie })
    expect(JSON.parse(both.body)).toMatchObject({ sub: 'account-1' })
    expect((await ask(api, 'GET /orders', { authorization: 'Bearer bad', cookie })).status).toBe(401)
    const other = await ask(api, 'GET /orders', { authorization: 'Basic dXNlcjpwYXNz', cookie })
    expect(JSON.parse(other.body)).toMatchObject({ sub: 'of-the-cookie' })
  })

  test('requireRole lets on only an account with one of the roles', async () => {
    expect((await ask(api, 'GET /admin', bearer(issuer.token({ roles: ['owner', 'x'] })))).status).toBe(200)
    for (const claims of [{}, { roles: [] }, { roles: ['administrator'] }]) {
      const { status, headers, body } = await ask(api, 'GET /admin', bearer(issuer.token(claims)))
      expect({ status, code: JSON.parse(body).code }).toEqual({ status: 403, code: 'insufficient_role' })
      expect(headers['www-authenticate']).toMatch(/^Bearer error="insufficient_scope"/)
    }
  })

  test('step-up lets on only a recent and strong login, and says what it needs (RFC 9470)', async () => {
    const now = start / 1000
    const may = { auth_time: now - 300, acr: 'phr' }
    expect((await ask(api, 'GET /recent', bearer(issuer.token(may)))).status).toBe(200)
    expect((await ask(api, 'GET /recent', bearer(issuer.token({ ...may, auth_time: now + 9 })))).status).toBe(
      200,
    )
    for (const change of [
      { auth_time: now - 301 },
      { auth_time: undefined },
      { acr: 'pwd' },
      { acr: undefined },
    ]) {
      const answer = await ask(api, 'GET /recent', bearer(issuer.token({ ...may, ...change })))
      expect({ status: answer.status, code: JSON.parse(answer.body).code }).toEqual({
        status: 401,
        code: 'insufficient_user_authentication',
      })
      expect(answer.headers['www-authenticate']).toBe(
        'Bearer error="insufficient_user_authentication", error_description="This needs a more recent or a stronger login.", acr_values="mfa phr", max_age="300"',
      )
    }
  })

  test('an optional route serves nobody and somebody', async () => {
    const sub = async (headers = {}) => JSON.parse((await ask(api, 'GET /public', headers)).body).sub
    expect(await sub()).toBeNull()
    expect(await sub(bearer())).toBe('account-1')
    expect(await sub({ cookie: `${issuer.cookie}=${issuer.token()}` })).toBe('account-1')
    expect(await sub({ authorization: 'Basic dXNlcjpwYXNz' })).toBeNull()
  })

  test('an optional route refuses a bad token in the header, and overlooks one in a cookie', async () => {
    expect((await ask(api, 'GET /public', { authorization: 'Bearer bad' })).status).toBe(401)
    for (const token of ['bad', issuer.token({ aud: 'https://other.example' })]) {
      const { status, body } = await ask(api, 'GET /public', { cookie: `${issuer.cookie}=${token}` })
      expect({ status, body: JSON.parse(body) }).toEqual({ status: 200, body: { sub: null } })
    }
    expect(await ask(api, 'GET /public', expired('stale'))).toMatchObject({
      status: 200,
      body: '{"sub":null}',
    })
    issuer.state.now = start
    expect(await ask(api, 'GET /public', expired('busy'))).toMatchObject({ status: 503 })
    issuer.state.now = start
    expect(await ask(api, 'GET /public', expired())).toMatchObject({ body: '{"sub":"account-1"}' })
  })

  test('a second protect asks for more and renews nothing again', async () => {
    const may = issuer.token({ scope: 'orders:read orders:write' })
    expect((await ask(api, 'GET /twice', bearer(may))).status).toBe(200)
    expect((await ask(api, 'GET /twice', bearer())).status).toBe(403)
    const renewed = await ask(api, 'GET /twice', expired())
    expect(renewed.status).toBe(403)
    expect(renewed.headers['set-cookie']).toHaveLength(1)
  })

  test('a route that was not told to describe itself does not', async () => {
    expect((await ask(api, 'GET /.well-known/oauth-protected-resource')).status).toBe(404)
  })

  test('requireScope without protect refuses everyone', async () => {
    expect((await ask(api, 'GET /unprotected', bearer())).status).toBe(500)
  })

  /** What each refused request is like, and what its route needs. */
  const refusals: Record<string, () => { line: string; headers?: Record<string, string>; needs?: Needs }> = {
    'no token': () => ({ line: 'GET /orders' }),
    'two tokens in one field': () => ({
      line: 'GET /orders',
      headers: { authorization: `Bearer ${issuer.token()}, Bearer ${issuer.token()}` },
    }),
    'a made-up token': () => ({ line: 'GET /orders', headers: bearer('a.b.c') }),
    'a token of another API': () => ({ line: 'GET /orders', headers: bearer(issuer.token({ aud: 'x' })) }),
    'an expired token': () => ({ line: 'GET /orders', headers: bearer(issuer.token({ exp: start / 1000 })) }),
    'a bound token without its proof': () => ({
      line: 'GET /orders',
      headers: bearer(issuer.token({ cnf: { jkt: 'x' } })),
    }),
    'a token without the scope': () => ({ line: 'GET /needs', headers: bearer(), needs: { scope: BOTH } }),
    'a token without one scope more': () => ({
      line: 'POST /orders',
      headers: bearer(),
      needs: { scope: 'orders:write' },
    }),
    'an account without the role': () => ({
      line: 'GET /admin',
      headers: bearer(),
      needs: { role: ['admin', 'owner'] },
    }),
    'a login that is too old': () => ({ line: 'GET /recent', headers: bearer(), needs: STEP_UP }),
    'a cookie from a strange page': () => ({
      line: 'POST /orders',
      headers: { cookie: `${issuer.cookie}=${issuer.token()}`, origin: 'https://evil.example' },
    }),
    'a bad token where none is needed': () => ({
      line: 'GET /public',
      headers: bearer('bad'),
      needs: { optional: true },
    }),
  }

  test.each(Object.keys(refusals))(
    '%s is refused as the guard itself refuses it, to the letter',
    async (name) => {
      const { line, headers = {}, needs } = refusals[name]?.() ?? { line: '' }
      const [method = '', url = ''] = line.split(' ')
      const refused = await guard.check({ method, url, header: (field) => headers[field] }, needs)
      if (refused.type !== 'refused') throw new Error('the guard lets it on')
      const answer = await ask(api, line, headers)
      expect({ status: answer.status, body: JSON.parse(answer.body) }).toEqual({
        status: refused.status,
        body: refused.body,
      })
      for (const [field, value] of refused.headers)
        expect(answer.headers[field]?.slice(0, value.length)).toBe(value)
      expect(answer.headers['www-authenticate']?.length).toBe(
        new Map(refused.headers).get('www-authenticate')?.length,
      )
    },
  )

  test.each(['"a text"', '7', 'true', '[]', '{"sub":"account-2","scope":"orders:read"}'])(
    'what another middleware has put in the place of the claims, such as %s, is none of ours',
    async (others) => {
      const answer = await ask(api, 'GET /orders', { ...bearer(), 'x-others': others })
      expect({ status: answer.status, sub: JSON.parse(answer.body).sub }).toEqual({
        status: 200,
        sub: 'account-1',
      })
      expect((await ask(api, 'GET /orders', { 'x-others': others })).status).toBe(401)
      expect((await ask(api, 'GET /twice', { ...bearer(), 'x-others': others })).status).toBe(403)
      expect((await ask(api, 'GET /unprotected', { 'x-others': others })).status).toBe(500)
    },
  )

  test('an expired token is renewed on the way, and the new one goes out with the answer', async () => {
    const { status, headers, body } = await ask(api, 'GET /orders', expired())
    expect({ status, body: JSON.parse(body) }).toEqual({
      status: 200,
      body: { sub: 'account-1', sid: 'session-1', plan: 'free' },
    })
    const token = headers['authorization']?.slice('Bearer '.length)
    expect(headers['set-cookie']).toEqual([`${issuer.cookie}=${token}; Path=/; HttpOnly`])
    expect(headers['cache-control']).toBe('private, no-store')
    expect((await ask(api, 'GET /orders', bearer(token))).status).toBe(200)
  })

  test.each(framework === 'express' ? ['/cached', '/raw', '/raw-list'] : ['/cached', '/raw'])(
    'a renewed token never gets into a cache, whatever the handler of %s says, and its cookies stay',
    async (path) => {
      const { status, headers } = await ask(api, `GET ${path}`, expired())
      expect(status).toBe(path === '/raw-list' ? 202 : 200)
      expect(headers['cache-control']).toBe('private, no-store')
      expect(headers['set-cookie']).toEqual([
        expect.stringMatching(/^theme=dark/),
        ...(path === '/raw-list' ? ['size=large'] : []),
        expect.stringContaining(issuer.cookie),
      ])
    },
  )

  test('without a renewal the handler caches as it likes', async () => {
    const { headers } = await ask(api, 'GET /cached', bearer())
    expect(headers['cache-control']).toBe('public, max-age=60')
  })

  test('a renewed token goes out even when the scope is refused or the handler throws', async () => {
    const refused = await ask(api, 'POST /orders', { ...expired(), origin: issuer.url })
    expect(refused).toMatchObject({ status: 403, headers: { 'cache-control': 'private, no-store' } })
    expect(refused.headers['set-cookie']).toHaveLength(1)
    issuer.state.now = start
    const needs = await ask(api, 'GET /needs', expired())
    expect(needs).toMatchObject({ status: 403, headers: { 'cache-control': 'private, no-store' } })
    expect(needs.headers['set-cookie']).toHaveLength(1)
    issuer.state.now = start
    const thrown = await ask(api, 'GET /throws', expired())
    // A rejected promise has no fields: the next request renews again, which spends nothing.
    if (framework === 'fetch') return expect(thrown.status).toBe(500)
    expect(thrown).toMatchObject({ status: 500, headers: { 'cache-control': 'private, no-store' } })
    expect(thrown.headers['set-cookie']).toHaveLength(1)
  })

  test.each([
    ['stale', 401, 'session_ended'],
    ['busy', 503, 'database_unavailable'],
    ['broken', 503, 'guard_unavailable'],
  ])('a renewal with a refresh token that is %s ends in %i %s', async (refresh, status, code) => {
    const answer = await ask(api, 'GET /orders', expired(refresh))
    expect({ status: answer.status, code: JSON.parse(answer.body).code }).toEqual({ status, code })
    expect(answer.body).not.toContain('secret')
  })

  describe('with tokens that are bound to a key', () => {
    let device: Device
    let bound: Api
    beforeAll(async () => {
      device = await startDevice()
      bound = await startApi(
        createGuard({
          issuer: issuer.url,
          clock: issuer.clock,
          url: 'https://api.example',
          metadata: { name: 'The shop', scopes: 'orders:read orders:write' },
          ownClaims: readPlan,
        }),
      )
    })
    afterAll(() => bound.close())
    const tokenOfDevice = () => issuer.token({ cnf: { jkt: device.jkt }, scope: 'orders:read' })
    const proofFor = (token: string, line = 'GET /orders', origin = 'https://api.example') => {
      const [method = '', path = ''] = line.split(' ')
      return device.proof({ method, url: origin + path, now: issuer.state.now, token })
    }

    test('a route serves the holder of the key, at the public URL of the API', async () => {
      for (const line of ['GET /orders', 'GET /orders?page=2', 'GET /mounted/orders']) {
        const token = tokenOfDevice()
        const dpop = await proofFor(token, line)
        expect((await ask(bound, line, { authorization: `DPoP ${token}`, dpop })).status).toBe(200)
      }
    })

    test('a route refuses everybody else, and says how to prove it', async () => {
      const token = tokenOfDevice()
      const fields: readonly Record<string, string>[] = [
        { authorization: `DPoP ${token}` },
        { authorization: `DPoP ${token}`, dpop: await proofFor(token, 'POST /orders') },
        {
          authorization: `DPoP ${token}`,
          dpop: await proofFor(token, 'GET /orders', `http://localhost:${bound.port}`),
        },
      ]
      for (const headers of fields) {
        const answer = await ask(bound, 'GET /orders', headers)
        expect({ status: answer.status, code: JSON.parse(answer.body).code }).toEqual({
          status: 401,
          code: 'invalid_dpop_proof',
        })
        expect(answer.headers['www-authenticate']).toMatch(
          /^Bearer, DPoP error="invalid_dpop_proof", .*algs="ES256 /,
        )
      }
      const asBearer = await ask(bound, 'GET /orders', bearer(token))
      expect({ status: asBearer.status, code: JSON.parse(asBearer.body).code }).toEqual({
        status: 401,
        code: 'invalid_token',
      })
    })

    test('a second DPoP field is not overlooked', async () => {
      const token = tokenOfDevice()
      const dpop = [await proofFor(token), await proofFor(token)]
      const answer = await ask(bound, 'GET /orders', { authorization: `DPoP ${token}`, dpop })
      expect({ status: answer.status, code: JSON.parse(answer.body).code }).toEqual({
        status: 401,
        code: 'invalid_dpop_proof',
      })
    })

    test('the API describes itself to clients, and challenges say where (RFC 9728)', async () => {
      const { status, headers, body } = await ask(bound, 'GET /.well-known/oauth-protected-resource')
      expect(status).toBe(200)
      expect(headers['content-type']).toMatch(/^application\/json/)
      expect(headers).toMatchObject({ 'access-control-allow-origin': '*' })
      expect(JSON.parse(body)).toEqual({
        resource: 'https://api.example',
        authorization_servers: [issuer.url],
        bearer_methods_supported: ['header'],
        scopes_supported: ['orders:read', 'orders:write'],
        dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
        resource_name: 'The shop',
      })
      const refused = await ask(bound, 'GET /orders')
      expect(refused.headers['www-authenticate']).toMatch(
        /^Bearer resource_metadata="https:\/\/api\.example\/\.well-known\/oauth-protected-resource", DPoP algs=/,
      )
    })

    test('a second protect does not use a proof up', async () => {
      const token = issuer.token({ cnf: { jkt: device.jkt }, scope: 'orders:read orders:write' })
      const fields = { authorization: `DPoP ${token}`, dpop: await proofFor(token, 'GET /twice') }
      expect((await ask(bound, 'GET /twice', fields)).status).toBe(200)
      expect((await ask(bound, 'GET /twice', fields)).status).toBe(401)
    })

    test('requireScope refuses with the scheme of the token', async () => {
      const token = tokenOfDevice()
      const dpop = await proofFor(token, 'POST /orders')
      const answer = await ask(bound, 'POST /orders', { authorization: `DPoP ${token}`, dpop })
      expect(answer.status).toBe(403)
      expect(answer.headers['www-authenticate']).toMatch(/^DPoP error="insufficient_scope"/)
    })

    const metadata = 'resource_metadata="https://api.example/.well-known/oauth-protected-resource"'
    const lacking = 'error_description="The access token does not have the scope that this needs."'
    test.each([
      ['POST /orders', 403, `error="insufficient_scope", ${lacking}, scope="orders:write", ${metadata}`],
      [
        'GET /needs',
        403,
        `error="insufficient_scope", ${lacking}, scope="orders:read orders:write", ${metadata}`,
      ],
      [
        'GET /admin',
        403,
        `error="insufficient_scope", error_description="The account does not have a role that may do this.", ${metadata}`,
      ],
      [
        'GET /recent',
        401,
        `error="insufficient_user_authentication", error_description="This needs a more recent or a stronger login.", acr_values="mfa phr", max_age="300", ${metadata}`,
      ],
    ])(
      '%s, where a good token does not reach, says with %i why, and where to read on',
      async (line, status, challenge) => {
        const answer = await ask(bound, line, bearer())
        expect(answer.headers['www-authenticate']).toBe(`Bearer ${challenge}`)
        expect(answer.status).toBe(status)
      },
    )
  })

  test('a guard that throws or rejects neither hangs the request nor brings the process down', async () => {
    const fail = () => {
      throw new Error('of the guard')
    }
    for (const check of [fail, async () => fail()]) {
      const broken = await startApi({ ...guard, check })
      expect((await ask(broken, 'GET /orders', bearer())).status).toBe(500)
      await broken.close()
    }
  })
})

const adapters = {
  express: guardExpress,
  fastify: guardFastify,
  hono: guardHono,
  koa: guardKoa,
}

describe.each(Object.entries(adapters))('%s', (_, { protect, requireScope, requireRole, requireStepUp }) => {
  const invalid = expect.objectContaining({ code: 'options_invalid' })

  test('refuses needs that make no sense when the route is made', () => {
    const guard = createGuard({ issuer: issuer.url })
    expect(() => protect(guard, { scope: '' })).toThrow(invalid)
    expect(() => protect(guard, { role: [] })).toThrow(invalid)
    expect(() => protect(guard, { maxAge: -1 })).toThrow(invalid)
    expect(() => protect(guard, { acr: 'two words' })).toThrow(invalid)
    expect(() => requireScope([])).toThrow(invalid)
    expect(() => requireRole('')).toThrow(invalid)
    expect(() => requireStepUp(guard, { maxAge: Number.NaN })).toThrow(invalid)
  })
})

test('so do the adapters that wrap a handler, and the decorators', () => {
  const guard = createGuard({ issuer: issuer.url })
  const invalid = expect.objectContaining({ code: 'options_invalid' })
  expect(() => guardNode.protect(guard, () => {}, { scope: '' })).toThrow(invalid)
  expect(() => guardFetch.protect(guard, () => new Response(), { scope: '' })).toThrow(invalid)
  expect(() => guardNest.Auth({ scope: '' })).toThrow(invalid)
})

/** Over `node:http`, because fetch would join repeated fields before sending them, and hide some of the answer's. */
function ask(api: Api, line: string, headers: Record<string, string | string[]> = {}) {
  const [method, path] = line.split(' ')
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => [name, one]),
  )
  return new Promise<{
    status: number
    headers: IncomingHttpHeaders
    body: string
  }>((resolve, reject) => {
    const options = { host: 'localhost', port: api.port, method, path, agent: false }
    const request = send(
      { ...options, headers: ['host', 'localhost', 'content-length', '0', ...fields] },
      async (response) => {
        const chunks = await response.toArray()
        const body = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
      },
    )
    request
      .on('error', reject)
      .setTimeout(5_000, () => request.destroy(new Error('hangs')))
      .end()
  })
}
