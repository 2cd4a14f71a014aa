import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { PASSWORD, someEmail, startFreshAuth, type TestAuth, URL_OF_AUTH } from './start-auth.ts'

const ALLOWED = 'https://app.example.com'
const FOREIGN = 'https://evil.example'
const TAKEN_FOR_ALLOWED = [
  'https://app.example.com.evil.example',
  'https://evil-app.example.com',
  'https://app.example.com:8443',
  'http://app.example.com',
  'https://APP.example.com',
  'https://app.example.com/',
  `${ALLOWED}, ${FOREIGN}`,
  'null',
  '*',
  '',
]

const sites = ['same-origin', 'same-site', 'cross-site', 'none', undefined] as const
const origins = [URL_OF_AUTH, ALLOWED, FOREIGN, 'null', undefined] as const
/** `Origin` decides where there is one, `Sec-Fetch-Site` elsewhere; with neither nobody has said who asks. */
const pages = origins.flatMap((origin) =>
  sites.map((site) => ({
    origin,
    site,
    trusted:
      origin === undefined
        ? site === 'same-origin' || (site === undefined && ('without cookies' as const))
        : origin === URL_OF_AUTH || origin === ALLOWED,
  })),
)

const fieldsOf = ({ origin, site }: { origin: string | undefined; site: string | undefined }) => ({
  ...(origin !== undefined && { origin }),
  ...(site !== undefined && { 'sec-fetch-site': site }),
})

describe.each(databases)('the page that asks, on $name', (database) => {
  let server: TestAuth
  let person: { email: string; cookies: Record<string, string>; access: string; refresh: string }

  beforeAll(async () => {
    server = await startFreshAuth(database, { allowedOrigins: [ALLOWED], reuseInterval: 300 })
    const email = someEmail()
    const { cookies } = await server.register({ email, transport: 'cookie' })
    const { json } = await server.login({ email })
    person = { email, cookies, access: json.access_token, refresh: json.refresh_token }
  })

  /** Requests that a forged page could send, with the cookies of the person and the status of success. */
  const requests = [
    { method: 'POST', path: '/auth/login', status: 200, login: true },
    { method: 'POST', path: '/auth/register', status: 201, login: true },
    { method: 'POST', path: '/auth/refresh', status: 200 },
    { method: 'POST', path: '/auth/token', status: 200 },
    { method: 'GET', path: '/auth/me', status: 200 },
    { method: 'GET', path: '/auth/sessions', status: 200 },
    { method: 'DELETE', path: '/auth/sessions/00000000000000000000000000', status: 404 },
  ]

  const bodyOf = (path: string) => {
    if (path === '/auth/login') return { body: { email: person.email, password: PASSWORD } }
    return path === '/auth/register' ? { body: { email: someEmail(), password: PASSWORD } } : {}
  }

  describe.each(requests)('$method $path with cookies', ({ method, path, status, login }) => {
    test.each(pages)('from Origin $origin and Sec-Fetch-Site $site', async (page) => {
      // A login ends the session whose cookies it replaces.
      const { cookies } = login ? await server.login({ email: person.email, transport: 'cookie' }) : person
      const answer = await server.call(method, path, { ...bodyOf(path), cookies, headers: fieldsOf(page) })
      if (page.trusted === true) {
        expect(answer.status).toBe(status)
      } else {
        expect([answer.status, answer.json.code]).toEqual([403, 'origin_not_allowed'])
        expect(answer.setCookies).toEqual([])
        const me = await server.call('GET', '/auth/me', { cookies, headers: { origin: URL_OF_AUTH } })
        expect(me.status).toBe(200)
      }
    })
  })

  describe.each(requests.filter(({ login }) => login))(
    '$path without cookies',
    ({ method, path, status }) => {
      test.each(pages)('from Origin $origin and Sec-Fetch-Site $site', async (page) => {
        const answer = await server.call(method, path, { ...bodyOf(path), headers: fieldsOf(page) })
        expect(answer.status).toBe(page.trusted ? status : 403)
      })
    },
  )

  test.each(pages)(
    'a session that Origin $origin and Sec-Fetch-Site $site may not end by its cookies lives on',
    async (page) => {
      const { cookies } = await server.login({ email: person.email, transport: 'cookie' })
      const logout = await server.call('POST', '/auth/logout', { cookies, headers: fieldsOf(page) })
      const me = { cookies, headers: { origin: URL_OF_AUTH } }
      const after = await server.call('GET', '/auth/me', me)
      expect([logout.status, after.status]).toEqual(page.trusted === true ? [204, 401] : [403, 200])
      expect(logout.setCookies).toHaveLength(page.trusted === true ? 2 : 0)
    },
  )

  test.each(pages)(
    'a form on Origin $origin and Sec-Fetch-Site $site that no cookie comes along with takes none away either',
    async (page) => {
      // SameSite=Lax keeps the cookies from a form of another site, but its answer may set and clear them.
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      const logout = await server.call('POST', '/auth/logout', { headers: { ...form, ...fieldsOf(page) } })
      expect(logout.status).toBe(page.trusted ? 204 : 403)
      expect(logout.setCookies).toHaveLength(page.trusted ? 2 : 0)
    },
  )

  test.each(TAKEN_FOR_ALLOWED)('%j is not an allowed origin', async (origin) => {
    const headers = { origin, 'sec-fetch-site': 'same-origin' }
    const me = await server.call('GET', '/auth/me', { cookies: person.cookies, headers })
    expect([me.status, me.json.code]).toEqual([403, 'origin_not_allowed'])
    expect(me.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('a credential that was sent on purpose needs no trusted page', async () => {
    for (const page of pages) {
      const headers = fieldsOf(page)
      const tokens = { access_token: person.access, refresh_token: person.refresh }
      const me = await server.call('GET', '/auth/me', { token: person.access, headers })
      const renewal = await server.refresh(tokens, { headers })
      expect([me.status, renewal.status]).toEqual([200, 200])
    }
  })

  test('one cookie among the credentials is enough to need a trusted page', async () => {
    const renewal = await server.call('POST', '/auth/refresh', {
      token: person.access,
      cookies: person.cookies,
      headers: { origin: FOREIGN },
    })
    expect([renewal.status, renewal.json.code]).toEqual([403, 'origin_not_allowed'])
  })

  describe('CORS', () => {
    const preflight = (origin: string | undefined, path = '/auth/refresh') =>
      server.call('OPTIONS', path, {
        headers: {
          ...(origin !== undefined && { origin }),
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-anything, authorization',
          'access-control-request-private-network': 'true',
        },
      })

    test('a preflight from an allowed origin names what may be sent', async () => {
      const answer = await preflight(ALLOWED)
      expect(answer.status).toBe(204)
      expect(answer.text).toBe('')
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'access-control-allow-origin': ALLOWED,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'GET, POST, PATCH, DELETE',
        'access-control-allow-headers': 'Authorization, DPoP, Idempotency-Key, Content-Type',
        'access-control-max-age': '600',
        vary: 'Origin',
      })
    })

    test.each([FOREIGN, ...TAKEN_FOR_ALLOWED, undefined])(
      'a preflight from %j is promised nothing',
      async (origin) => {
        const answer = await preflight(origin)
        expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
        expect(answer.headers.get('vary')).toBe('Origin')
        expect(answer.status).toBe(204)
      },
    )

    test('every answer to an allowed origin, a refusal too, can be read by it', async () => {
      const headers = { origin: ALLOWED }
      const answers = [
        await server.login({ email: person.email }, { headers }),
        await server.login({ email: person.email, password: 'not the password' }, { headers }),
        await server.call('GET', '/auth/me', { headers }),
        await server.call('GET', '/nowhere', { headers }),
        await server.call('PUT', '/auth/me', { headers }),
      ]
      expect(answers.map((answer) => answer.status)).toEqual([200, 401, 401, 404, 405])
      for (const { headers } of answers) {
        expect(headers.get('access-control-allow-origin')).toBe(ALLOWED)
        expect(headers.get('access-control-allow-credentials')).toBe('true')
        expect(headers.get('access-control-expose-headers')).toBe(
          'Authorization, WWW-Authenticate, DPoP-Nonce, Retry-After',
        )
        expect(headers.get('vary')).toMatch(/\bOrigin\b/)
      }
    })

    test('no origin is ever reflected, on any address', async () => {
      const paths = [
        ...requests.map(({ method, path }) => [method, path] as const),
        ...(['/', '/healthz', '/readyz', '/openapi.json', '/nowhere'] as const).map(
          (path) => ['GET', path] as const,
        ),
      ]
      for (const [method, path] of paths) {
        const { headers } = await server.call(method, path, { headers: { origin: FOREIGN } })
        expect(headers.get('access-control-allow-origin'), path).toBeNull()
        expect(headers.get('access-control-allow-credentials'), path).toBeNull()
        expect(headers.get('vary'), path).toMatch(/\bOrigin\b/)
      }
    })

    test('the public keys may be read by any page, without credentials', async () => {
      const { headers } = await server.call('GET', '/.well-known/jwks.json', { headers: { origin: FOREIGN } })
      expect(headers.get('access-control-allow-origin')).toBe('*')
      expect(headers.get('access-control-allow-credentials')).toBeNull()
    })
  })
})
