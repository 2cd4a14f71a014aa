import {
  challenge,
  cookieNames,
  judgeOrigin,
  problem,
  readAuthorization,
  readCookie,
} from '@mapae/guard/http'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

describe('the Authorization field', () => {
  test('gives the token of a Bearer or DPoP credential, in any letter case', () => {
    expect(readAuthorization('Bearer a.b.c')).toEqual({ type: 'token', scheme: 'Bearer', token: 'a.b.c' })
    expect(readAuthorization('bEARER a-_~+/==')).toEqual({
      type: 'token',
      scheme: 'Bearer',
      token: 'a-_~+/==',
    })
    expect(readAuthorization('dpop   a.b.c ')).toEqual({ type: 'token', scheme: 'DPoP', token: 'a.b.c' })
  })

  test('says the same however Bearer is written, the way that most write it included', () => {
    const rest = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.stringMatching(/^[ \w.~+/=,"\t-]{0,12}$/),
      fc.constantFrom(
        'a'.repeat(16_384),
        'a'.repeat(16_385),
        ' a',
        'a ',
        'a, Bearer b',
        'a\n',
        '\u{a0}a',
        'a\u{2028}',
      ),
    )
    fc.assert(
      fc.property(rest, (text) => {
        expect(readAuthorization(`Bearer ${text}`)).toEqual(readAuthorization(`bearer ${text}`))
      }),
      { numRuns: 5000 },
    )
  })

  test('is none when it was not sent, and other when it holds another scheme', () => {
    expect(readAuthorization(undefined)).toEqual({ type: 'none' })
    expect(readAuthorization('Basic dXNlcjpwYXNz')).toEqual({ type: 'other' })
    expect(readAuthorization('Digest username="a", realm="b"')).toEqual({ type: 'other' })
    expect(readAuthorization('BearerToken abc')).toEqual({ type: 'other' })
  })

  test.each([
    ['is empty', ''],
    ['has no token', 'Bearer'],
    ['has only spaces for a token', 'Bearer   '],
    ['has two tokens', 'Bearer a b'],
    ['was repeated', 'Bearer a, Bearer b'],
    ['was repeated with the same token', 'Bearer a, Bearer a'],
    ['was repeated behind another scheme', 'Basic dXNlcjpwYXNz, Bearer a'],
    ['was repeated before another scheme', 'Bearer a, Basic dXNlcjpwYXNz'],
    ['has an equals sign in the middle', 'Bearer a=b'],
    ['has a tab for a space', 'Bearer\ta'],
    ['has a line break', 'Bearer a\nb'],
    ['has letters beyond ASCII', 'Bearer 마패'],
    ['has no scheme', '"Bearer" a'],
    ['is longer than any header', `Bearer ${'a'.repeat(16_385)}`],
  ])('is malformed when it %s', (_, value) => {
    expect(readAuthorization(value)).toEqual({ type: 'malformed' })
  })

  test('never makes the reader throw, and a token is always one b64token', () => {
    const schemes = fc.constantFrom('Bearer ', 'bearer ', 'DPoP ', 'Basic ', '')
    fc.assert(
      fc.property(schemes, fc.string({ unit: 'binary' }), (scheme, rest) => {
        const read = readAuthorization(scheme + rest)
        if (read.type === 'token') expect(read.token).toMatch(/^[A-Za-z0-9._~+/-]+=*$/)
      }),
    )
  })

  test('gives back every token that was put into it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9\-._~+/]+={0,2}$/), (token) => {
        expect(readAuthorization(`Bearer ${token}`)).toEqual({ type: 'token', scheme: 'Bearer', token })
      }),
    )
  })
})

describe('the Cookie field', () => {
  test('gives the value under the exact name', () => {
    expect(readCookie('a=1; b=2', 'b')).toEqual({ type: 'value', value: '2' })
    expect(readCookie('a=1;b=x=y', 'b')).toEqual({ type: 'value', value: 'x=y' })
    expect(readCookie(' b = 2 ;', 'b')).toEqual({ type: 'value', value: '2' })
    expect(readCookie('b=', 'b')).toEqual({ type: 'value', value: '' })
  })

  test('is none without the name', () => {
    expect(readCookie(undefined, 'a')).toEqual({ type: 'none' })
    expect(readCookie('', 'a')).toEqual({ type: 'none' })
    expect(readCookie('A=1; aa=2; a; =a', 'a')).toEqual({ type: 'none' })
    expect(readCookie('toString=1', 'constructor')).toEqual({ type: 'none' })
  })

  test('is repeated when the name comes twice, even with one value', () => {
    expect(readCookie('a=1; a=2', 'a')).toEqual({ type: 'repeated' })
    expect(readCookie('a=1; b=2; a=1', 'a')).toEqual({ type: 'repeated' })
  })

  test('never makes the reader throw, and finds a planted cookie among anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (header, name) => {
        readCookie(header, name)
        const planted = readCookie(`${header}; mapae=1`, 'mapae')
        expect(planted.type).toBe(readCookie(header, 'mapae').type === 'none' ? 'value' : 'repeated')
      }),
    )
  })
})

describe('the origin of a request', () => {
  const own = 'https://auth.example'
  const allowed = 'https://app.example'
  test.each([
    [own, undefined, true, 'same'],
    [own, 'same-origin', true, 'same'],
    [allowed, 'cross-site', true, 'allowed'],
    [allowed, undefined, false, 'allowed'],
    ['https://evil.example', undefined, false, 'refused'],
    ['https://evil.example', 'same-origin', true, 'refused'],
    ['null', 'same-origin', true, 'refused'],
    ['', undefined, false, 'refused'],
    ['https://auth.example:443', undefined, true, 'refused'],
    ['https://AUTH.example', undefined, true, 'refused'],
    ['http://auth.example', undefined, true, 'refused'],
    ['https://auth.example.evil.example', undefined, true, 'refused'],
    [`${own}, ${own}`, undefined, true, 'refused'],
    [undefined, 'same-origin', true, 'same'],
    [undefined, 'same-site', true, 'refused'],
    [undefined, 'cross-site', true, 'refused'],
    [undefined, 'cross-site', false, 'refused'],
    [undefined, 'none', true, 'refused'],
    [undefined, 'something-new', true, 'refused'],
    [undefined, undefined, true, 'refused'],
    [undefined, undefined, false, 'not-a-browser'],
  ] as const)('Origin %s, Sec-Fetch-Site %s, cookies sent %s: %s', (origin, site, cookiesSent, verdict) => {
    const fields = new Map([
      ['origin', origin],
      ['sec-fetch-site', site],
    ])
    const header = (name: string) => fields.get(name)
    expect(judgeOrigin({ header, ownOrigin: own, allowedOrigins: [allowed], cookiesSent })).toBe(verdict)
  })
})

describe('a challenge', () => {
  test('is the bare scheme when no token was sent', () => {
    expect(challenge({ scheme: 'Bearer' })).toBe('Bearer')
  })

  test('quotes what it says', () => {
    const says = { error: 'insufficient_scope', description: 'More is needed', scope: ['a:read', 'b'] }
    expect(challenge({ scheme: 'DPoP', realm: 'shop', ...says })).toBe(
      'DPoP realm="shop", error="insufficient_scope", error_description="More is needed", scope="a:read b"',
    )
  })

  test('lets no value end its quotes or its line', () => {
    expect(challenge({ scheme: 'Bearer', error: 'a"\\b\r\nSet-Cookie: x=1; 마패💥' })).toBe(
      `Bearer error="a'?b??Set-Cookie: x=1; ???"`,
    )
  })
})

describe('a problem', () => {
  test('is a document of RFC 9457 with a stable code', () => {
    expect(
      problem({ status: 401, code: 'invalid_token', detail: 'It expired.', headers: [['x', 'y']] }),
    ).toEqual({
      status: 401,
      headers: [
        ['content-type', 'application/problem+json'],
        ['cache-control', 'no-store'],
        ['x', 'y'],
      ],
      body: {
        type: 'urn:mapae:error:invalid_token',
        title: 'Invalid token',
        status: 401,
        code: 'invalid_token',
        detail: 'It expired.',
      },
    })
    expect(problem({ status: 400, code: 'x', title: 'Y' }).body).not.toHaveProperty('detail')
  })
})

describe('the cookie names', () => {
  test('are host-bound over https', () => {
    const names = { access: '__Host-mapae_access', refresh: '__Host-mapae_refresh' }
    expect(cookieNames({ url: 'https://auth.example/path' })).toEqual(names)
  })

  test.each([
    ['http://localhost:4000', '4000'],
    ['http://127.0.0.1', '80'],
    ['http://[::1]:8080', '8080'],
    ['http://127.0.0.2:3000', '3000'],
    ['http://auth.localhost:3000', '3000'],
  ])('carry the port for %s', (url, port) => {
    expect(cookieNames({ url })).toEqual({ access: `mapae_access_${port}`, refresh: `mapae_refresh_${port}` })
  })

  test.each([
    'http://auth.example',
    'http://localhost.evil.example',
    'http://evillocalhost',
    'http://127.evil.example',
    'ftp://localhost',
    'localhost:4000',
    'x',
  ])('are refused for %s', (url) => {
    expect(() => cookieNames({ url })).toThrow(expect.objectContaining({ code: 'options_invalid' }))
  })
})
