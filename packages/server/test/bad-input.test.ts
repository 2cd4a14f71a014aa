import { beforeAll, describe, expect, test } from 'vitest'
import { databases } from '../../../test-support/databases.ts'
import { routes } from '../src/routes.ts'
import { readTables } from './read-database.ts'
import {
  type Answer,
  type CallOptions,
  cookieField,
  PASSWORD,
  someEmail,
  startFreshAuth,
  type TestAuth,
} from './start-auth.ts'

const json = { 'content-type': 'application/json' }
const LARGEST_BODY = 16_384
const withBody = routes.filter((route) => route.body).map((route) => route.path)
const inSession = new Set(routes.filter((route) => route.body && route.secured).map((route) => route.path))
const bytes = (...values: number[]) => new Uint8Array(values)
const text = (value: string) => new TextEncoder().encode(value)

/** A refusal as every one of them has to be: problem JSON with a stable code, nothing of our insides in it. */
function expectRefusal(answer: Answer, status: number, code: string, where: string): void {
  expect([answer.status, answer.json.code], `${where}: ${answer.text}`).toEqual([status, code])
  expect(answer.headers.get('content-type'), where).toBe('application/problem+json')
  expect(answer.headers.get('cache-control'), where).toBe('no-store')
  expect(answer.json, where).toMatchObject({
    status,
    type: `urn:mapae:error:${code}`,
    title: expect.any(String),
  })
  expect(answer.text, where).not.toMatch(/\bat .*[:(]\d+|node_modules|\.ts\b|select |insert |zod/i)
  expect(answer.setCookies, where).toEqual([])
}

describe.each(databases)('bad input, on $name', (database) => {
  let server: TestAuth
  let person: Answer
  let before: unknown
  beforeAll(async () => {
    server = await startFreshAuth(database)
    person = await server.register()
    before = await readTables(server.database)
  })

  /** With a session, where nobody else's body is read. */
  const post = (path: string, options: CallOptions) =>
    server.call('POST', path, {
      ...(inSession.has(path) && { token: person.json.access_token }),
      ...options,
    })

  const refusedEverywhere = async (
    options: CallOptions,
    status: number,
    code: string,
    at?: readonly (readonly [string, string])[],
  ) => {
    if (!at)
      for (const path of withBody) expectRefusal(await post(path, options), status, code, `POST ${path}`)
    for (const [method, path] of at ?? [])
      expectRefusal(await server.call(method, path, options), status, code, `${method} ${path}`)
    expect(await readTables(server.database)).toEqual(before)
    expect(server.events.filter(({ type }) => type === 'error')).toEqual([])
  }

  const everywhere = routes
    .map(({ method, path }) => [method, path.replace(':id', '0'.repeat(26))] as const)
    .filter(([method]) => method !== 'GET')
  const secured = routes
    .filter((route) => route.secured)
    .map(({ method, path }) => [method, path.replace(':id', '0'.repeat(26))] as const)
  const withCredential = [...secured, ['POST', '/auth/refresh'], ['POST', '/auth/logout']] as const

  describe('a body', () => {
    test.each([
      ['an open brace', '{'],
      ['a word', 'nonsense'],
      ['a missing value', '{"email":}'],
      ['a trailing comma', '{"email":"me@example.com",}'],
      ['single quotes', "{'email':'me@example.com'}"],
      ['two documents', '{}{}'],
      ['a comment', '{} // and more'],
      ['NaN', '{"password":NaN}'],
      ['a line end in a string', '{"password":"a\nb"}'],
      ['a NUL byte after the end', '{}\0'],
      ['spaces alone', '   '],
      ['a form', 'email=me%40example.com&password=secret'],
      ['an unclosed list, 16,000 deep', '['.repeat(16_000)],
    ])('of malformed JSON is refused: %s', (_, raw) =>
      refusedEverywhere({ raw, headers: json }, 400, 'invalid_json'),
    )

    test.each([
      ['a lone continuation byte', bytes(0x22, 0x80, 0x22)],
      ['an overlong slash', bytes(0x22, 0xc0, 0xaf, 0x22)],
      ['a surrogate', bytes(0x22, 0xed, 0xa0, 0x80, 0x22)],
      ['a cut character', new Uint8Array([...text('{"name":"'), 0xea, 0xb0, ...text('"}')])],
      ['UTF-16', bytes(0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00)],
    ])('of invalid UTF-8 is refused: %s', (_, raw) =>
      refusedEverywhere({ raw, headers: json }, 400, 'invalid_json'),
    )

    test.each(['null', 'true', '1', '"text"', '[]', '[{}]', `${'['.repeat(8000)}${']'.repeat(8000)}`])(
      'that is not an object is refused: %.20s',
      (raw) => refusedEverywhere({ raw, headers: json }, 400, 'invalid_request'),
    )

    test.each([
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/x-www-form-urlencoded' },
      { 'content-type': 'multipart/form-data; boundary=x' },
      { 'content-type': 'application/json-patch+json' },
      { 'content-type': 'application/jsonp' },
      { 'content-type': 'text/plain; application/json' },
      { 'content-type': '' },
    ])('of another type is refused: %j', (headers) =>
      refusedEverywhere(
        { raw: JSON.stringify({ password: PASSWORD }), headers },
        415,
        'unsupported_media_type',
      ),
    )

    test('without a type is refused', () =>
      refusedEverywhere({ raw: text('{}') }, 415, 'unsupported_media_type'))

    test.each(['application/json; charset=utf-8', 'APPLICATION/JSON', ' application/json '])(
      'of type %j is read',
      async (type) => {
        const logout = { raw: '{}', headers: { 'content-type': type } }
        expect((await server.call('POST', '/auth/logout', logout)).status).toBe(204)
      },
    )

    test('that is too large is refused, by its length', () =>
      refusedEverywhere({ body: { password: 'k'.repeat(LARGEST_BODY) } }, 413, 'body_too_large'))

    test('that only says that it is large is refused unread', () =>
      refusedEverywhere(
        { raw: '{}', headers: { ...json, 'content-length': '9999999999' } },
        413,
        'body_too_large',
      ))

    test.each([undefined, '2', '-1', 'abc'])(
      'that goes on for ever is refused when it has been long enough, whatever its length says: %s',
      async (length) => {
        for (const path of withBody) {
          let sent = 0
          let cancelled = false
          const raw = new ReadableStream({
            pull(controller) {
              controller.enqueue(text(' '.repeat(1000)))
              sent += 1000
            },
            cancel() {
              cancelled = true
            },
          })
          const headers = { ...json, ...(length !== undefined && { 'content-length': length }) }
          const answer = await post(path, { raw, headers })
          expectRefusal(answer, 413, 'body_too_large', path)
          expect([cancelled, sent < 3 * LARGEST_BODY]).toEqual([true, true])
        }
      },
    )

    test('that comes a byte at a time is read', async () => {
      const raw = ReadableStream.from([...text('{"refresh_token":"마패"}')].map((byte) => bytes(byte)))
      expect((await server.call('POST', '/auth/logout', { raw, headers: json })).status).toBe(204)
    })

    test('that breaks off is the fault of who sent it', async () => {
      for (const path of withBody) {
        const raw = new ReadableStream({
          pull(controller) {
            controller.enqueue(text('{"password":'))
            controller.error(new Error('aborted'))
          },
        })
        const answer = await post(path, { raw, headers: json })
        expectRefusal(answer, 400, 'invalid_request', path)
      }
      expect(server.events.filter(({ type }) => type === 'error')).toEqual([])
    })

    test('may be absent', async () => {
      expect((await server.call('POST', '/auth/logout')).status).toBe(204)
      expect((await server.call('POST', '/auth/login')).json.code).toBe('invalid_request')
    })
  })

  describe('a member', () => {
    const wrong = [{}, [], ['me@example.com'], { $ne: null }, null, 1, 1.5e300, true, false]
    const person = { email: 'wrong@example.com', username: 'wrong', password: PASSWORD }

    test.each(wrong)('of the wrong type is refused: %j', async (value) => {
      for (const [path, body, names] of [
        ['/auth/register', person, ['email', 'username', 'password', 'name', 'transport']],
        ['/auth/login', person, ['identifier', 'email', 'username', 'password', 'transport']],
        ['/auth/refresh', {}, ['refresh_token']],
        ['/auth/logout', {}, ['refresh_token']],
      ] as const) {
        for (const name of names) {
          const answer = await server.call('POST', path, { body: { ...body, [name]: value } })
          expectRefusal(answer, 400, 'invalid_request', `${path} ${name}`)
          expect(answer.json.errors[0]?.path).toBe(name)
        }
      }
      expect(await readTables(server.database)).toEqual(before)
    })

    test.each([
      ['a NUL byte', 'me\0@example.com'],
      ['a lone high surrogate', 'me\ud800@example.com'],
      ['a lone low surrogate', 'me\udc00@example.com'],
      ['surrogates in the wrong order', 'me\udc00\ud800@example.com'],
    ])('with %s is refused, but for the NUL byte of a password', async (_, value) => {
      for (const [path, body, names] of [
        ['/auth/register', person, ['email', 'username', 'name']],
        ['/auth/login', person, ['identifier', 'email', 'username']],
      ] as const) {
        for (const name of names) {
          const answer = await server.call('POST', path, { body: { ...body, [name]: value } })
          expectRefusal(answer, 400, 'invalid_request', `${path} ${name}`)
        }
        if (value.includes('\0')) continue
        const answer = await server.call('POST', path, { body: { ...person, password: value } })
        expectRefusal(answer, 400, 'invalid_request', `${path} password`)
      }
      expect(await readTables(server.database)).toEqual(before)
    })

    test('that is too long is refused', async () => {
      const long = 'k'.repeat(5000)
      for (const [path, name] of [
        ['/auth/register', 'email'],
        ['/auth/register', 'username'],
        ['/auth/register', 'name'],
        ['/auth/login', 'identifier'],
        ['/auth/login', 'email'],
        ['/auth/refresh', 'refresh_token'],
        ['/auth/logout', 'refresh_token'],
      ] as const) {
        const answer = await server.call('POST', path, { body: { ...person, [name]: long } })
        expectRefusal(answer, 400, 'invalid_request', `${path} ${name}`)
        expect(answer.text.length).toBeLessThan(500)
      }
      expect(await readTables(server.database)).toEqual(before)
    })

    test('named __proto__ or constructor changes nothing for anybody', async () => {
      const raw = `{"__proto__":{"password":"${PASSWORD}","email":"proto@example.com"},"constructor":{"prototype":{"polluted":1}}}`
      for (const path of ['/auth/register', '/auth/login'])
        expectRefusal(await server.call('POST', path, { raw, headers: json }), 400, 'invalid_request', path)
      expect(Reflect.get({}, 'polluted')).toBeUndefined()
      expect(Reflect.get({}, 'password')).toBeUndefined()
      expect(await readTables(server.database)).toEqual(before)
    })
  })

  describe('header fields', () => {
    test.each([
      ['one of 64 KB', { 'x-long': 'k'.repeat(65_536) }],
      [
        'a thousand small ones',
        Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`x-${n}`, 'k'.repeat(60)])),
      ],
      ['a cookie of 64 KB', { cookie: `a=${'k'.repeat(65_536)}` }],
      ['a token of 64 KB', { authorization: `Bearer ${'k'.repeat(65_536)}` }],
    ])('of 64 KB are refused: %s', (_, headers) =>
      refusedEverywhere({ headers }, 431, 'headers_too_large', [
        ...everywhere,
        ['GET', '/auth/me'],
        ['GET', '/auth/sessions'],
        ['GET', '/.well-known/jwks.json'],
      ]),
    )

    test('with a credential cookie twice are refused, even with one value', async () => {
      const name = '__Host-mapae_access'
      const refresh = '__Host-mapae_refresh'
      const good = person.json.access_token
      const ownPage = { 'sec-fetch-site': 'same-origin' }
      for (const cookie of [`${name}=${good}; ${name}=${good}`, `${name}=; a=b; ${name}=${good}`])
        await refusedEverywhere({ headers: { ...ownPage, cookie } }, 400, 'repeated_cookie', [
          ...secured,
          ['POST', '/auth/logout'],
        ])
      const twice = cookieField({ a: 'b', [refresh]: 'x' })
      await refusedEverywhere(
        { headers: { ...ownPage, cookie: `${twice}; ${twice}` } },
        400,
        'repeated_cookie',
        [
          ['POST', '/auth/refresh'],
          ['POST', '/auth/token'],
          ['POST', '/auth/logout'],
        ],
      )
    })

    test('with odd cookies are read as none', async () => {
      for (const cookie of [
        '',
        ';;;',
        '=',
        '__Host-mapae_access',
        '__Host-mapae_access=',
        '__host-mapae_access=x',
        'x'.repeat(8000),
      ]) {
        const answer = await server.call('GET', '/auth/me', { headers: { cookie } })
        expectRefusal(answer, 401, 'token_required', cookie)
      }
    })

    test.each([
      'Bearer',
      'Bearer ',
      'Bearer a b',
      'Bearer "quoted"',
      'Bearer a, Bearer b',
      'Basic bWU6cHc=, Bearer a',
      'Bearer a,Bearer a',
      'Bearer \u00e9',
      '"',
      '',
    ])('with Authorization %j are refused', (authorization) =>
      refusedEverywhere({ headers: { authorization } }, 400, 'invalid_request', withCredential),
    )

    test.each([
      'short',
      'k'.repeat(21),
      'k'.repeat(129),
      `${'k'.repeat(22)}=`,
      `${'k'.repeat(22)} `.repeat(2),
      `${'k'.repeat(22)}, ${'k'.repeat(22)}`,
      '한글'.repeat(11).replaceAll(/./gu, '\u00e9'),
      '',
    ])('with Idempotency-Key %j are refused, and the token is not spent', async (key) => {
      const options = { attemptId: key, headers: { 'idempotency-key': key } }
      const answer = await server.refresh(person.json, options)
      expectRefusal(answer, 400, 'invalid_idempotency_key', key)
      expect(await readTables(server.database)).toEqual(before)
    })
  })

  describe('an address', () => {
    test.each([
      '/nowhere',
      '/auth',
      '/auth/',
      '/auth/me/',
      '//auth/me',
      '/AUTH/ME',
      '/auth/sessions/a/b',
      '/auth/..%2fhealthz',
      '/%ff',
      '/%E0%A4%A',
      '/%00',
      '/.well-known/',
      '/constructor',
      '/__proto__',
      `/${'k'.repeat(8000)}`,
    ])('that is not ours is a 404: %.30s', async (path) => {
      const url = `https://auth.example.com${path}`
      for (const method of ['GET', 'POST'])
        expectRefusal(await server.call(method, url), 404, 'not_found', `${method} ${path}`)
    })

    test('takes its own methods only', async () => {
      for (const method of ['PUT', 'PATCH', 'PROPFIND', 'BREW']) {
        for (const { path } of routes) {
          const answer = await server.call(method, path.replace(':id', 'x'))
          expectRefusal(answer, 405, 'method_not_allowed', `${method} ${path}`)
          expect(answer.headers.get('allow')).toMatch(/^[A-Z]+(, [A-Z]+)*$/)
        }
      }
      for (const path of withBody)
        for (const method of ['GET', 'DELETE'])
          expectRefusal(await server.call(method, path), 405, 'method_not_allowed', `${method} ${path}`)
    })
  })

  test('what fails on our side is a 500 that says nothing, and is told to onEvent', async () => {
    const secret = 'the words of an inner error'
    const broken = await startFreshAuth(database, {
      claims: () => {
        throw new Error(secret)
      },
    })
    const email = someEmail()
    const answer = await broken.register({ email })
    expectRefusal(answer, 500, 'internal_error', 'register')
    expect(answer.text).not.toContain(secret)
    expect(answer.json).not.toHaveProperty('detail')
    expect(broken.events).toEqual([{ type: 'error', at: broken.clock.now(), error: expect.any(Error) }])
    const { accounts = [], sessions = [] } = await readTables(broken.database)
    expect([...accounts, ...sessions], 'nothing is left behind').toEqual([])
  })
})
