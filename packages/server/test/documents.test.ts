import { createGuard } from '@mapae/guard'
import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { refusals, statusOf } from '../src/auth-error.ts'
import { routes } from '../src/routes.ts'
import { query } from './read-database.ts'
import { startAuth, startFreshAuth, type TestAuth, URL_OF_AUTH } from './start-auth.ts'

interface Operation {
  readonly summary: string
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly responses: Readonly<Record<string, { readonly description: string }>>
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

describe.each(databases)('what the server says of itself, on $name', (database) => {
  let server: TestAuth
  beforeAll(async () => {
    server = await startFreshAuth(database)
  })

  test('healthz says that the process answers', async () => {
    const answer = await server.call('GET', '/healthz')
    expect([answer.status, answer.json]).toEqual([200, { status: 'ok' }])
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  test('readyz says that the database answers too', async () => {
    const answer = await server.call('GET', '/readyz')
    expect([answer.status, answer.json]).toEqual([200, { status: 'ready' }])
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  test('a load balancer may ask by HEAD', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const answer = await server.call('HEAD', path)
      expect([answer.status, answer.text]).toEqual([200, ''])
    }
  })

  test.each([
    { accepted: 'ko-KR,ko;q=0.9,en;q=0.8', language: 'ko' },
    { accepted: 'en-US,en;q=0.9,ko;q=0.8', language: 'en' },
    { accepted: 'fr, ko;q=0.5', language: 'ko' },
    { accepted: 'fr', language: 'en' },
    { accepted: undefined, language: 'en' },
  ])('the start page is in $language for Accept-Language $accepted', async ({ accepted, language }) => {
    const { status, headers, text } = await server.call('GET', '/', {
      headers: accepted === undefined ? {} : { 'accept-language': accepted },
    })
    expect(status).toBe(200)
    expect(headers.get('content-language')).toBe(language)
    expect(text).toContain(`<html lang="${language}">`)
    expect(headers.get('vary')).toMatch(/Accept-Language.*Origin/)
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; /)
  })

  test('the pages option draws the start page', async () => {
    const own = await startAuth(server.database, {
      pages: (name, data) => new Response(`${name} in ${data.language} at ${data.url}`),
    })
    expect((await own.call('GET', '/')).text).toBe(`start in en at ${URL_OF_AUTH}`)
  })

  test('the pages option may send people elsewhere', async () => {
    const own = await startAuth(server.database, {
      pages: () => Response.redirect('https://app.example.com/', 302),
    })
    const { status, headers } = await own.call('GET', '/')
    expect([status, headers.get('location')]).toEqual([302, 'https://app.example.com/'])
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  test.each([new Error('of the app'), 'no error at all', undefined])(
    'an option of the app that throws is answered 500, told, and nothing of it is shown: %j',
    async (thrown) => {
      const own = await startAuth(server.database, {
        claims: () => {
          throw thrown
        },
      })
      const answer = await own.register()
      expect([answer.status, answer.json.code]).toEqual([500, 'internal_error'])
      expect(answer.text).not.toContain('app')
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      expect(own.events).toEqual([expect.objectContaining({ type: 'error' })])
    },
  )

  test('every answer forbids sniffing, framing and embedding', async () => {
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/healthz'],
      ['GET', '/auth/me'],
      ['POST', '/auth/login'],
      ['GET', '/nowhere'],
      ['OPTIONS', '/auth/login'],
      ['GET', '/.well-known/jwks.json'],
    ] as const) {
      const { headers } = await server.call(method, path)
      expect(headers.get('x-content-type-options'), path).toBe('nosniff')
      expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'")
      expect(headers.get('referrer-policy'), path).toBe('same-origin')
      expect(headers.get('cross-origin-resource-policy'), path).toBe(
        path === '/.well-known/jwks.json' ? 'cross-origin' : 'same-site',
      )
    }
  })

  test('an address that takes another method is 405, and says which it takes', async () => {
    const answer = await server.call('PATCH', '/auth/sessions')
    expect([answer.status, answer.json.code]).toEqual([405, 'method_not_allowed'])
    expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'OPTIONS'])
    const onlyPosts = await server.call('GET', '/auth/login')
    expect([onlyPosts.status, onlyPosts.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
    for (const method of ['HEAD', 'OPTIONS'])
      expect((await server.call(method, '/auth/sessions')).status, method).not.toBe(405)
  })

  describe('openapi.json', () => {
    let document: Document
    let text: string
    beforeAll(async () => {
      const answer = await server.call('GET', '/openapi.json')
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toBe('application/json')
      text = answer.text
      document = JSON.parse(text)
    })

    test('is OpenAPI 3.1 of this server', () => {
      expect(document).toMatchObject({
        openapi: expect.stringMatching(/^3\.1\.\d+$/),
        info: { title: 'Mapae', version: expect.any(String) },
        servers: [{ url: URL_OF_AUTH }],
      })
    })

    test('holds every route, and no other', () => {
      const described = Object.entries(document.paths).flatMap(([path, item]) =>
        Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
      )
      const served = routes.map(({ method, path }) => `${method} ${path.replace(':id', '{id}')}`)
      expect(described.sort()).toEqual(served.sort())
    })

    test('describes every answer, by a whole number for its status', () => {
      for (const operation of Object.values(document.paths).flatMap((item) => Object.values(item))) {
        expect(operation.summary).toMatch(/\S/)
        expect(Object.keys(operation.responses).length).toBeGreaterThan(0)
        for (const [status, { description }] of Object.entries(operation.responses)) {
          expect(status).toMatch(/^[2-5]\d\d$/)
          expect(description).toMatch(/\S/)
        }
      }
    })

    test('declares each parameter of a path', () => {
      for (const [path, item] of Object.entries(document.paths)) {
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
        for (const { parameters = [] } of Object.values(item)) {
          expect(parameters.map(({ name }) => name)).toEqual(named)
          for (const parameter of parameters) expect(parameter).toMatchObject({ in: 'path', required: true })
        }
      }
    })

    test('refers to nothing that is not in it', () => {
      const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path ?? '')
      expect(references.length).toBeGreaterThan(0)
      expect(text.match(/"\$ref":/g)).toHaveLength(references.length)
      for (const reference of references) {
        const found = reference
          .split('/')
          .reduce<unknown>((at, name) => Reflect.get(Object(at), name), document)
        expect(found, reference).toBeTypeOf('object')
      }
    })

    test('names every code that a route may be refused with', () => {
      for (const route of routes) {
        const operation = document.paths[route.path.replace(':id', '{id}')]?.[route.method.toLowerCase()]
        for (const code of route.refusals) {
          const status = statusOf(code, { atResource: route.secured !== undefined })
          expect(operation?.responses[status]?.description, `${route.path} ${code}`).toContain(`\`${code}\``)
        }
      }
      for (const code of Object.keys(refusals)) expect(text).toContain(`"${code}"`)
    })

    test('lets nobody write what is not theirs', () => {
      const body = JSON.stringify(
        Reflect.get(document.paths['/auth/register']?.['post'] ?? {}, 'requestBody'),
      )
      expect(body).toContain('"password"')
      for (const member of ['roles', 'scopes', 'epoch', '"id"']) expect(body).not.toContain(member)
    })
  })
})

describe.each(databases)('a clock that differs from that of $name', (database) => {
  test.each([10_000, -10_000])('by %i ms is not ready, and opens and renews nothing', async (skew) => {
    const options = { clock: Date.now, dangerouslyIgnoreClockSkew: false }
    const right = await startFreshAuth(database, options)
    const header = await right.register({ email: 'person@example.com' })
    const cookie = await right.register({ transport: 'cookie' })
    expect([header.status, cookie.status]).toEqual([201, 201])

    const server = await startAuth(right.database, { ...options, clock: () => Date.now() + skew })
    const ownPage = { cookies: cookie.cookies, headers: { origin: URL_OF_AUTH } }
    const { access_token: token } = header.json
    const sessions = await query(right.database, 'select * from sessions order by id')
    for (const answer of [
      await server.call('GET', '/readyz'),
      await server.register(),
      await server.login({ email: 'person@example.com' }),
      await server.refresh(header.json),
      await server.call('POST', '/auth/refresh', ownPage),
      await server.call('POST', '/auth/token', ownPage),
    ]) {
      expect([answer.status, answer.json.code]).toEqual([503, 'clock_skewed'])
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
      expect(answer.setCookies).toEqual([])
    }
    expect(await query(right.database, 'select * from sessions order by id')).toEqual(sessions)
    expect((await server.call('GET', '/healthz')).status).toBe(200)
    expect((await right.call('GET', '/auth/me', { token })).status).toBe(200)
    expect((await server.call('POST', '/auth/logout', { body: header.json })).status).toBe(204)
  })

  test('by years sweeps nothing: neither the sessions of everybody else nor the audit log', async () => {
    const options = { clock: Date.now, dangerouslyIgnoreClockSkew: false }
    const right = await startFreshAuth(database, options)
    const { json } = await right.register()
    const lines = await right.auth.api.readAudit()
    const fast = { ...options, clock: () => Date.now() + 10 * 365 * 86_400_000, sweepInterval: 1 }
    const server = await startAuth(right.database, fast)
    await server.auth.ready()
    await expect(server.auth.api.sweep()).rejects.toMatchObject({ code: 'clock_skewed' })
    await expect
      .poll(() => server.events.filter(({ type }) => type === 'error').length, { timeout: 5000 })
      .toBeGreaterThan(0)
    expect(await right.auth.api.readAudit()).toEqual(lines)
    expect((await right.refresh(json)).status).toBe(200)
    await expect(query(right.database, 'delete from audit')).rejects.toThrow('append-only')
  })

  test('by 3 s is served, and guards whose clocks are up to 2 s slow take its tokens', async () => {
    const options = { dangerouslyIgnoreClockSkew: false }
    const server = await startFreshAuth(database, { ...options, clock: () => Date.now() + 2900 })
    const { status, json } = await server.register()
    expect(status).toBe(201)
    const guard = createGuard({
      issuer: URL_OF_AUTH,
      audience: URL_OF_AUTH,
      keys: server.auth.keys,
      clock: () => Date.now() - 2000,
    })
    const headers: Readonly<Record<string, string>> = { authorization: `Bearer ${json.access_token}` }
    const admission = await guard.check({ method: 'GET', url: '/orders', header: (name) => headers[name] })
    expect(admission).toMatchObject({ type: 'admitted' })
  })

  test('and was set right is served at once', async () => {
    let skew = 60_000
    const options = { clock: () => Date.now() + skew, dangerouslyIgnoreClockSkew: false }
    const server = await startFreshAuth(database, options)
    expect((await server.call('GET', '/readyz')).status).toBe(503)
    skew = 0
    expect((await server.call('GET', '/readyz')).status).toBe(200)
  })
})
