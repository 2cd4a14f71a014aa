import { createHmac, sign as cryptoSign } from 'node:crypto'
import {
  createVerifier,
  decodeUnverified,
  exportJwk,
  generateKey,
  importKey,
  type KeySet,
  signJws,
  signJwt,
  toPublicKey,
  verifyJws,
  verifyJwt,
} from '@mapae/jwt'
import { describe, expect, it } from 'vitest'
import { CLAIMS, expectRefusal, POLICY, refusalOf, segment } from './support.ts'

const key = generateKey('HS256')
const verify = createVerifier({ keys: key, ...POLICY })
const good = signJwt({ claims: CLAIMS, key })
const HEADER = { alg: 'HS256', typ: 'JWT', kid: key.kid }
const HEADER_SEGMENT = segment(HEADER)

/** A token with a right signature over whatever the segments are. */
function forge(
  header: unknown,
  payload: unknown = CLAIMS,
  input = `${segment(header)}.${segment(payload)}`,
): string {
  return `${input}.${createHmac('sha256', key.keyObject).update(input, 'latin1').digest('base64url')}`
}

describe('three segments (RFC 7515 §7.1)', () => {
  it('takes the good token', () => {
    expect(verify(good).claims).toEqual(CLAIMS)
    expect(verify(forge(HEADER)).claims).toEqual(CLAIMS)
  })

  it.each([
    ['nothing', ''],
    ['one segment', 'abc'],
    ['two segments', good.slice(0, good.lastIndexOf('.'))],
    ['four segments', `${good}.x`],
    ['five segments, like a JWE', `${good}.x.y`],
    ['a trailing dot', `${good}.`],
    ['an empty header', `.${segment(CLAIMS)}.x`],
    ['only dots', '..'],
    [
      'the JSON serialization (RFC 8725bis, format confusion)',
      JSON.stringify({ payload: good, signatures: [] }),
    ],
    ['the same with dots in it', `{"protected":"${good}"}`],
  ])('refuses %s', (_, token) => {
    expectRefusal(() => verify(token), 'token_malformed')
    expectRefusal(() => decodeUnverified(token), 'token_malformed')
  })

  it('says what was signed', () => {
    const { signature, signingInput } = decodeUnverified(good)
    expect(`${signingInput}.${Buffer.from(signature).toString('base64url')}`).toBe(good)
  })

  it.each([
    ['nothing', '', 'segments'],
    ['one segment', HEADER_SEGMENT, 'segments'],
    ['two segments', `${HEADER_SEGMENT}.${segment(CLAIMS)}`, 'segments'],
    ['an empty header', `.${segment(CLAIMS)}.x`, 'segments'],
    ['four segments', `${good}.x`, 'segments'],
    ['a header of one character', 'a.b.c', 'header'],
    ['an empty payload', `${HEADER_SEGMENT}..x`, 'payload'],
    ['a payload of one character', `${HEADER_SEGMENT}.b.x`, 'payload'],
  ])('says of %s what is wrong with it', (_, token, what) => {
    const reason =
      what === 'segments' ? /it does not have three segments/ : new RegExp(`: the ${what} is not`)
    expectRefusal(() => decodeUnverified(token), 'token_malformed', reason)
    if (what === 'segments') expectRefusal(() => verify(token), 'token_malformed', reason)
  })

  it.each([[undefined], [null], [5], [{}], [[]], [Buffer.from(good)]])(
    'refuses %s, which is no text',
    (token) => {
      // @ts-expect-error a token is text
      expectRefusal(() => verify(token), 'token_malformed')
    },
  )
})

describe('base64url in its one canonical form (RFC 7515 §2, RFC 4648 §3.5)', () => {
  const [header = '', payload = '', signature = ''] = good.split('.')
  const rows: [string, (text: string) => string][] = [
    ['padding', (text) => `${text}=`],
    ['a space in front', (text) => ` ${text}`],
    ['a line break behind', (text) => `${text}\n`],
    ['a character of the other alphabet', (text) => `${text.slice(0, -1)}+`],
    ['a slash', (text) => `${text.slice(0, -1)}/`],
    ['a NUL', (text) => `${text}\0`],
    [
      'a character whose low byte is right',
      (text) => String.fromCharCode(text.charCodeAt(0) + 256) + text.slice(1),
    ],
    ['an impossible length', (text) => text + 'A'.repeat((5 - (text.length % 4)) % 4)],
  ]

  it.each(rows)('refuses %s in any segment', (_, change) => {
    expectRefusal(() => verify(`${change(header)}.${payload}.${signature}`), 'token_malformed')
    expectRefusal(() => verify(`${header}.${change(payload)}.${signature}`), 'token_malformed')
    expectRefusal(() => verify(`${header}.${payload}.${change(signature)}`), 'token_malformed')
    expectRefusal(() => decodeUnverified(`${header}.${payload}.${change(signature)}`), 'token_malformed')
  })

  it('refuses the same in a payload that is signed as it is', () => {
    for (const [, change] of rows) {
      expectRefusal(() => verify(forge(HEADER, '', `${header}.${change(payload)}`)), 'token_malformed')
    }
  })

  it('refuses stray bits in the last character of every segment', () => {
    const stray = (text: string) => `${text.slice(0, -1)}${next(text.slice(-1))}`
    for (const bytes of ['{"alg":"HS256"}x', '{"alg":"HS256"}xy']) {
      const text = Buffer.from(bytes).toString('base64url')
      expectRefusal(
        () => decodeUnverified(`${stray(text)}.${payload}.${signature}`),
        'token_malformed',
        /canonical/,
      )
    }
    expectRefusal(() => verify(`${header}.${payload}.${stray(signature)}`), 'token_malformed', /canonical/)
  })

  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const next = (character: string) => ALPHABET[ALPHABET.indexOf(character) + 1] ?? '_'
})

describe('UTF-8 and JSON (RFC 7515 §5.2)', () => {
  const bytes = (...values: number[]) =>
    Buffer.from([0x7b, 0x22, ...values, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url')

  it.each([
    ['a lone continuation byte', bytes(0x80)],
    ['an overlong form', bytes(0xc0, 0xaf)],
    ['a surrogate', bytes(0xed, 0xa0, 0x80)],
    ['a byte order mark', segment(`\ufeff${JSON.stringify(HEADER)}`)],
    ['a trailing comma', segment('{"alg":"HS256",}')],
    ['a comment', segment('{"alg":"HS256"}//')],
    ['a list', segment('["HS256"]')],
    ['null', segment('null')],
    ['a text', segment('"HS256"')],
    ['two values', segment('{"alg":"HS256"}{}')],
  ])('refuses %s', (_, text) => {
    expectRefusal(() => verify(forge('', '', `${text}.${segment(CLAIMS)}`)), 'token_malformed')
    expectRefusal(() => verify(forge('', '', `${segment(HEADER)}.${text}`)), 'token_malformed')
  })

  it('refuses a member named twice, however it is written and wherever it is', () => {
    const twice = `"typ":"JWT","kid":"${key.kid}"`
    expectRefusal(() => verify(forge(`{"alg":"none","alg":"HS256",${twice}}`)), 'token_malformed', /twice/)
    expectRefusal(
      () => verify(forge(`{"alg":"HS256" , "\\u0061lg" : "HS256",${twice}}`)),
      'token_malformed',
      /twice/,
    )
    expectRefusal(() => verify(forge(HEADER, '{"exp":1,"exp":9999999999}')), 'token_malformed', /twice/)
    expectRefusal(() => verify(forge(HEADER, '{"a":[{"b":1,"b":2}]}')), 'token_malformed', /twice/)
  })

  it('is not confused by text that looks like members', () => {
    const claims = {
      ...CLAIMS,
      a: '"exp":1,"exp":2',
      'b":{': '\\',
      c: [{ a: 1 }, { a: '\\"a":' }],
      d: { a: '}]{[' },
    }
    expect(verify(forge(HEADER, claims)).claims).toEqual(claims)
    expect(
      verify(forge(HEADER, `{ "exp" : ${CLAIMS.exp}, "iss":"https://issuer.example", "aud":["api"]\n}`))
        .claims.exp,
    ).toBe(CLAIMS.exp)
  })

  it('refuses __proto__, however it is written, and gives claims without side effects', () => {
    expectRefusal(() => verify(forge(HEADER, '{"__proto__":{"admin":true}}')), 'token_malformed', /__proto__/)
    expectRefusal(() => verify(forge(HEADER, '{"a":{"\\u005f_proto__":{}}}')), 'token_malformed', /__proto__/)
    expectRefusal(() => verify(forge('{"alg":"HS256","__proto__":{}}')), 'token_malformed', /__proto__/)
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  })

  it('refuses half a character, which no UTF-8 can hold, and takes both halves', () => {
    for (const half of ['\\ud800', '\\uDFFF', 'a\\udc00\\ud800']) {
      expectRefusal(() => verify(forge(HEADER, `{"sub":"${half}"}`)), 'token_malformed', /half/)
      expectRefusal(() => verify(forge(HEADER, `{"a":[{"${half}":1}]}`)), 'token_malformed', /half/)
      expectRefusal(() => verify(forge(`{"alg":"HS256","kid":"${half}"}`)), 'token_malformed', /half/)
    }
    expectRefusal(() => signJwt({ claims: { ...CLAIMS, sub: 'a\ud800' }, key }), 'claim_invalid', /half/)
    const claims = { ...CLAIMS, sub: '👑', '👑\n': '\ufffd' }
    expect(verify(signJwt({ claims, key })).claims).toEqual(claims)
    expect(verify(forge(HEADER, JSON.stringify(claims).replaceAll('👑', '\\ud83d\\udc51'))).claims).toEqual(
      claims,
    )
  })

  it('takes a depth of sixteen and no more', () => {
    const nested = (depth: number) =>
      `{"iss":"https://issuer.example","aud":"api","exp":${CLAIMS.exp},"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
    expect(verify(forge(HEADER, nested(15))).claims['a']).toBeDefined()
    expectRefusal(() => verify(forge(HEADER, nested(16))), 'token_malformed', /deep/)
    expectRefusal(() => verify(forge(HEADER, nested(2900))), 'token_malformed', /deep/)
  })

  it.each([
    ['exp', '1e999'],
    ['exp', 'null'],
    ['exp', '"1"'],
    ['exp', 'true'],
    ['nbf', '[]'],
    ['iat', '{}'],
    ['iss', '1'],
    ['sub', 'null'],
    ['jti', '[]'],
    ['aud', '1'],
    ['aud', '["a",1]'],
    ['aud', 'null'],
  ])('refuses %s: %s', (claim, value) => {
    const payload = `{${[
      ...Object.entries(CLAIMS)
        .filter(([name]) => name !== claim)
        .map(([name, one]) => `"${name}":${JSON.stringify(one)}`),
      `"${claim}":${value}`,
    ].join()}}`
    expectRefusal(() => verify(forge(HEADER, payload)), 'claim_invalid', new RegExp(claim))
    expectRefusal(() => decodeUnverified(forge(HEADER, payload)), 'claim_invalid')
  })
})

describe('size (before any other work)', () => {
  it('takes 8192 characters and no more', () => {
    const room = 8192 - signJws({ payload: '', key, header: { typ: 'JWT' } }).length
    const payload = 'x'.repeat(Math.floor((room * 3) / 4))
    expect(verifyJws({ token: signJws({ payload, key, header: { typ: 'JWT' } }), keys: key })).toHaveLength(
      payload.length,
    )
    expectRefusal(() => verify(`${'x'.repeat(8193)}`), 'token_too_large')
    expectRefusal(() => decodeUnverified('x'.repeat(8193)), 'token_too_large')
    expectRefusal(() => decodeUnverified(good, { maxLength: good.length - 1 }), 'token_too_large')
    expect(decodeUnverified(good, { maxLength: good.length }).claims).toEqual(CLAIMS)
  })
})

describe('the header', () => {
  it.each([
    ['no alg', {}],
    ['alg that is no text', { alg: 1 }],
    ['typ that is no text', { ...HEADER, typ: 1 }],
    ['kid that is no text', { ...HEADER, kid: [key.kid] }],
    ['cty that is no text', { ...HEADER, cty: null }],
    ['crit that is empty', { ...HEADER, crit: [] }],
    ['crit that is no list', { ...HEADER, crit: 'exp' }],
    ['crit with a name that is not in the header', { ...HEADER, crit: ['x'] }],
    ['crit with a name twice', { ...HEADER, x: 1, crit: ['x', 'x'] }],
    ['crit with a name that is there and one that is not', { ...HEADER, x: 1, crit: ['x', 'y'] }],
    ['crit with a number', { ...HEADER, crit: [1] }],
    ['crit with a number that names a parameter', { ...HEADER, 1: 1, crit: [1] }],
  ])('refuses %s', (_, header) => {
    expectRefusal(() => verify(forge(header)), 'token_malformed')
  })

  it('understands no critical extension (RFC 7515 §4.1.11) and no unencoded payload (RFC 7797)', () => {
    expectRefusal(() => verify(forge({ ...HEADER, exp: 1, crit: ['exp'] })), 'crit_unsupported')
    expectRefusal(() => verify(forge({ ...HEADER, b64: false, crit: ['b64'] })), 'crit_unsupported')
    expectRefusal(() => verify(forge({ ...HEADER, b64: false })), 'crit_unsupported')
    expectRefusal(() => verify(forge({ ...HEADER, b64: true })), 'crit_unsupported')
  })

  it.each([
    'none',
    'None',
    'NONE',
    'nOnE',
    '',
    'hs256',
    'HS256 ',
    'toString',
    '__proto__',
    'HS1',
    'ES256K',
    'RSA-OAEP',
  ])('knows no algorithm %j', (alg) => {
    expectRefusal(
      () => verify(`${segment({ alg, typ: 'JWT' })}.${segment(CLAIMS)}.`),
      'unsupported_algorithm',
    )
    expectRefusal(() => verify(forge({ ...HEADER, alg })), 'unsupported_algorithm')
  })

  it('never takes a key from the token: embedded jwk, jku, x5u and x5c change nothing', () => {
    const attacker = generateKey('ES256')
    const own = generateKey('ES256')
    for (const header of [
      { jwk: exportJwk(attacker) },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'x' },
      { x5c: ['x'] },
    ]) {
      const token = signJwt({ claims: CLAIMS, key: attacker, header })
      expectRefusal(() => verifyJwt({ token, keys: own, ...POLICY }), 'key_not_found')
      const named = importKey(own.keyObject, { kid: attacker.kid })
      expectRefusal(() => verifyJwt({ token, keys: named, ...POLICY }), 'signature_invalid')
    }
  })

  it('is frozen through and through, and the tokens after it are not confused with it', () => {
    const first = verify(good)
    expect(Object.isFrozen(first.header)).toBe(true)
    const { header } = verify(forge({ ...HEADER, jwk: { a: [{}] } }))
    const { jwk } = header as unknown as { jwk: { a: [object] } }
    expect([jwk, jwk.a, jwk.a[0]].every(Object.isFrozen)).toBe(true)
    expectRefusal(() => verify(forge({ ...HEADER, typ: 'other' })), 'type_mismatch')
    expect(verify(good).header).toEqual(HEADER)
  })
})

describe('algorithm confusion (RFC 8725 §2.1)', () => {
  it('refuses an HMAC made with the public key as its secret', () => {
    for (const alg of ['RS256', 'ES256'] as const) {
      const own = toPublicKey(generateKey(alg))
      for (const secret of [
        own.keyObject.export({ type: 'spki', format: 'pem' }),
        own.keyObject.export({ type: 'spki', format: 'der' }),
        JSON.stringify(exportJwk(own)),
      ]) {
        const input = `${segment({ ...HEADER, kid: own.kid })}.${segment(CLAIMS)}`
        const token = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
        expectRefusal(() => verifyJwt({ token, keys: own, ...POLICY }), 'algorithm_not_allowed')
      }
    }
  })

  it('refuses RSASSA-PSS by a PKCS #1 key and the reverse', () => {
    const own = generateKey('RS256')
    const pss = importKey(own.keyObject, { alg: 'PS256', kid: own.kid })
    expectRefusal(
      () => verifyJwt({ token: signJwt({ claims: CLAIMS, key: pss }), keys: own, ...POLICY }),
      'algorithm_not_allowed',
    )
    expectRefusal(
      () => verifyJwt({ token: signJwt({ claims: CLAIMS, key: own }), keys: pss, ...POLICY }),
      'algorithm_not_allowed',
    )
  })

  it('refuses a key of another algorithm that a key set of somebody else hands out', () => {
    const own = generateKey('ES256')
    const careless: KeySet = { find: () => own }
    expectRefusal(() => verifyJwt({ token: good, keys: careless, ...POLICY }), 'algorithm_not_allowed')
    expect(verifyJwt({ token: signJwt({ claims: CLAIMS, key: own }), keys: careless, ...POLICY }).key).toBe(
      own,
    )
    const forged: KeySet = { find: () => ({ ...own }) }
    expectRefusal(() => verifyJwt({ token: good, keys: forged, ...POLICY }), 'key_invalid')
  })
})

describe('ECDSA signatures (RFC 7518 §3.4)', () => {
  const cases = [
    ['ES256', 32, 'sha256'],
    ['ES384', 48, 'sha384'],
    ['ES512', 66, 'sha512'],
  ] as const

  it.each(cases)('%s refuses DER, other lengths and zero r or s', (alg, bytes, hash) => {
    const own = generateKey(alg)
    const input = `${segment({ alg, typ: 'JWT', kid: own.kid })}.${segment(CLAIMS)}`
    const check = (signature: Uint8Array) =>
      verifyJwt({ token: `${input}.${Buffer.from(signature).toString('base64url')}`, keys: own, ...POLICY })
    const right = cryptoSign(hash, Buffer.from(input), { key: own.keyObject, dsaEncoding: 'ieee-p1363' })
    const zero = Buffer.alloc(bytes)
    expect(check(right).claims).toEqual(CLAIMS)
    for (const wrong of [
      cryptoSign(hash, Buffer.from(input), own.keyObject),
      Buffer.concat([right, Buffer.alloc(1)]),
      Buffer.concat([Buffer.alloc(1), right]),
      right.subarray(1),
      Buffer.concat([zero, zero]),
      Buffer.concat([zero, right.subarray(bytes)]),
      Buffer.concat([right.subarray(0, bytes), zero]),
      Buffer.alloc(2 * bytes, 0xff),
    ]) {
      expectRefusal(() => check(wrong), 'signature_invalid')
    }
  })
})

describe('errors', () => {
  it('hold no token, and say what they are', () => {
    const error = refusalOf(() => verify(`${good.slice(0, -8)}AAAAAAAA`))
    expect(error.name).toBe('JwtError')
    expect(error.message).toBe(error.description)
    expect(JSON.stringify([error.message, error.detail, error.stack])).not.toContain(good.slice(0, 20))
  })
})
