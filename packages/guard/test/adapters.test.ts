import { type IncomingHttpHeaders, type Server, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createGuard, type Guard } from '@mapae/guard'
import {
  claimsOf as expressClaims,
  protect as expressProtect,
  requireScope as expressScope,
} from '@mapae/guard/express'
import {
  claimsOf as fastifyClaims,
  protect as fastifyProtect,
  requireScope as fastifyScope,
} from '@mapae/guard/fastify'
import { type GuardEnv, protect as honoProtect, requireScope as honoScope } from '@mapae/guard/hono'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Device, startDevice } from '../../../test-support/device.ts'
import { type Issuer, renewalOf, start, startIssuer } from './issuer.ts'

let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
beforeEach(() => {
  issuer.state.now = start
})
afterAll(() => issuer.close())

/** The same API on each framework; what its handlers do is what an adapter could get wrong. */
type Api = { port: number; close(): Promise<unknown> }

const frameworks: Record<string, (guard: Guard) => Promise<Api>> = {
  async express(guard) {
    const app = express()
    app.get('/orders', expressProtect(guard), (request, response) => {
      response.json({ sub: request.auth?.sub, sid: expressClaims(request).sid })
    })
    app.post('/orders', expressProtect(guard), expressScope('orders:write'), (_, response) => {
      response.status(201).json({})
    })
    app.get('/needs', expressProtect(guard, { scope: ['orders:read', 'orders:write'] }), (_, response) => {
      response.json({})
    })
    app.get('/cached', expressProtect(guard), (_, response) => {
      response.set('Cache-Control', 'public, max-age=60').cookie('theme', 'dark').json({})
    })
    app.get('/raw', expressProtect(guard), (_, response) => {
      response.writeHead(200, { 'Cache-Control': 'public', 'Set-Cookie': ['theme=dark'] }).end('raw')
    })
    app.get('/raw-list', expressProtect(guard), (_, response) => {
      const cookies = ['Set-Cookie', 'theme=dark', 'Set-Cookie', 'size=large']
      response.writeHead(202, 'Fine', ['Cache-Control', 'public', ...cookies]).end('raw')
    })
    app.get('/throws', expressProtect(guard), () => {
      throw new Error('of the handler')
    })
    app.get('/unprotected', expressScope('orders:read'), (_, response) => {
      response.json({})
    })
    app.use(
      '/mounted',
      express.Router().get('/orders', expressProtect(guard), (_, response) => void response.json({})),
    )
    app.set('env', 'test')
    return listening(app.listen(0, 'localhost'))
  },

  async fastify(guard) {
    const app = fastify()
    app.get<{ Reply: { sub?: string | undefined; sid?: string | undefined } }>(
      '/orders',
      { onRequest: fastifyProtect(guard) },
      async (request) => {
        return { sub: request.auth?.sub, sid: fastifyClaims(request).sid }
      },
    )
    const onWrite = [fastifyProtect(guard), fastifyScope('orders:write')]
    app.post('/orders', { preHandler: onWrite }, async (_, reply) => reply.code(201).send({}))
    const needs = fastifyProtect(guard, { scope: ['orders:read', 'orders:write'] })
    app.get('/needs', { onRequest: needs }, async () => ({}))
    app.get('/cached', { onRequest: fastifyProtect(guard) }, async (_, reply) => {
      return reply.header('cache-control', 'public, max-age=60').header('set-cookie', 'theme=dark').send({})
    })
    app.get('/raw', { onRequest: fastifyProtect(guard) }, (_, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'Cache-Control': 'public', 'Set-Cookie': ['theme=dark'] }).end('raw')
    })
    app.get('/throws', { onRequest: fastifyProtect(guard) }, async () => {
      throw new Error('of the handler')
    })
    app.get('/unprotected', { onRequest: fastifyScope('orders:read') }, async () => ({}))
    app.register(
      async (scope) => {
        scope.addHook('onRequest', fastifyProtect(guard))
        scope.get('/orders', async () => ({}))
      },
      { prefix: '/mounted' },
    )
    await app.listen({ port: 0, host: 'localhost' })
    return { port: portOf(app.server), close: () => app.close() }
  },

  async hono(guard) {
    const app = new Hono()
    app.get('/orders', honoProtect(guard), (c) => c.json({ sub: c.var.auth.sub, sid: c.get('auth').sid }))
    app.post('/orders', honoProtect(guard), honoScope('orders:write'), (c) => c.json({}, 201))
    app.get('/needs', honoProtect(guard, { scope: ['orders:read', 'orders:write'] }), (c) => c.json({}))
    app.get('/cached', honoProtect(guard), (c) => {
      c.header('Cache-Control', 'public, max-age=60')
      c.header('Set-Cookie', 'theme=dark', { append: true })
      return c.json({})
    })
    app.get('/raw', honoProtect(guard), () => {
      return new Response('raw', { headers: { 'Cache-Control': 'public', 'Set-Cookie': 'theme=dark' } })
    })
    app.get('/throws', honoProtect(guard), () => {
      throw new Error('of the handler')
    })
    app.get('/unprotected', honoScope('orders:read'), (c) => c.json({}))
    app.onError((_, c) => c.text('Internal Server Error', 500))
    const mounted = new Hono<GuardEnv>()
      .use(honoProtect(guard))
      .get('/orders', (c) => c.json({ sub: c.var.auth.sub }))
    app.route('/mounted', mounted)
    return listening(serve({ fetch: app.fetch, port: 0, hostname: 'localhost' }) as Server)
  },
}

describe.each(Object.entries(frameworks))('on %s', (framework, startApi) => {
  let api: Api
  beforeAll(async () => {
    const { renew } = renewalOf(issuer)
    api = await startApi(createGuard({ issuer: issuer.url, clock: issuer.clock, renew }))
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
    expect(JSON.parse(answer.body)).toEqual({ sub: 'account-1', sid: 'session-1' })
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

  test('requireScope without protect refuses everyone', async () => {
    expect((await ask(api, 'GET /unprotected', bearer())).status).toBe(500)
  })

  test('an expired token is renewed on the way, and the new one goes out with the answer', async () => {
    const { status, headers, body } = await ask(api, 'GET /orders', expired())
    expect({ status, body: JSON.parse(body) }).toEqual({
      status: 200,
      body: { sub: 'account-1', sid: 'session-1' },
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
        createGuard({ issuer: issuer.url, clock: issuer.clock, url: 'https://api.example' }),
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

    test('requireScope refuses with the scheme of the token', async () => {
      const token = tokenOfDevice()
      const dpop = await proofFor(token, 'POST /orders')
      const answer = await ask(bound, 'POST /orders', { authorization: `DPoP ${token}`, dpop })
      expect(answer.status).toBe(403)
      expect(answer.headers['www-authenticate']).toMatch(/^DPoP error="insufficient_scope"/)
    })
  })

  test('a guard that rejects neither hangs the request nor brings the process down', async () => {
    const check = async () => Promise.reject(new Error('of the guard'))
    const broken = await startApi({ ...createGuard({ issuer: issuer.url }), check })
    expect((await ask(broken, 'GET /orders', bearer())).status).toBe(500)
    await broken.close()
  })
})

test.each([expressProtect, fastifyProtect, honoProtect])(
  'an empty scope is refused when the route is made',
  (protect) => {
    const guard = createGuard({ issuer: issuer.url })
    expect(() => protect(guard, { scope: '' })).toThrow(expect.objectContaining({ code: 'options_invalid' }))
  },
)

test.each([expressScope, fastifyScope, honoScope])('an empty scope cannot be required', (requireScope) => {
  expect(() => requireScope([])).toThrow(expect.objectContaining({ code: 'options_invalid' }))
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

async function listening(server: Server): Promise<Api> {
  if (!server.listening) await new Promise((done) => server.once('listening', done))
  return { port: portOf(server), close: () => new Promise((closed) => server.close(closed)) }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
