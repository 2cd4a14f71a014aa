import { isUtf8 } from 'node:buffer'
import { createHmac, sign as cryptoSign } from 'node:crypto'
import {
  type Algorithm,
  createSigner,
  createVerifier,
  decodeUnverified,
  generateKey,
  type Key,
  signJws,
  signJwt,
  verifyJws,
  verifyJwt,
} from '@mapae/jwt'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { borrowBase64url, decodeTextBase64url, encodeTextBase64url } from '../src/base64url.ts'
import { findFault, findWrittenFault, parseJsonObject } from '../src/json.ts'
import { decodeUtf8 } from '../src/text.ts'
import { CLAIMS, expectRefusal, POLICY, segment } from './support.ts'

const runs = { numRuns: 3000 }

describe('the quick look at JSON', () => {
  /** What parseJsonObject is to say: the plain way, walking through the whole text. */
  const slowly = (text: string) => {
    try {
      const value: unknown = JSON.parse(text)
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not a JSON object'
      return findFault(text) ?? value
    } catch {
      return 'is not JSON'
    }
  }
  const expectSame = (text: string): void => {
    expect(parseJsonObject(text), text).toEqual(slowly(text))
  }

  const name = fc.oneof(
    fc.constantFrom(
      'a',
      'b',
      'aa',
      '',
      '1',
      '0',
      '__proto__',
      'toJSON',
      'constructor',
      'é',
      '"',
      '\\',
      '\u2028',
    ),
    fc.string({ unit: 'binary', maxLength: 3 }),
  )
  const number = fc.oneof(
    fc.constantFrom(
      '0',
      '-0',
      '1e3',
      '1E+3',
      '1000',
      '5e9',
      '100',
      '1e2',
      '12300',
      '123e2',
      '0.5',
      '1e-7',
      '1e400',
    ),
    fc.constantFrom(
      '9007199254740991',
      '9007199254740993',
      '99999999999999999999',
      '1e20',
      '1.0',
      '10e-1',
      '-1000',
    ),
    fc.integer().map(String),
    fc.double().map((value) => JSON.stringify(value)),
  )
  const escaped = (text: string) =>
    text
      .split('')
      .map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('')
  const quoted = (text: string, isEscaped: boolean) =>
    isEscaped ? `"${escaped(text)}"` : JSON.stringify(text)
  const space = fc.constantFrom('', '', '', ' ', '\n\t')
  const { json } = fc.letrec<{ json: string; object: string; array: string }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      number,
      fc.constantFrom('true', 'false', 'null', '[]', '{}'),
      fc.tuple(name, fc.boolean()).map(([text, isEscaped]) => quoted(text, isEscaped)),
      tie('array'),
      tie('object'),
    ),
    array: fc.array(tie('json'), { maxLength: 4 }).map((list) => `[${list.join(',')}]`),
    object: fc
      .array(fc.tuple(name, fc.boolean(), space, tie('json')), { maxLength: 5 })
      .map(
        (list) =>
          `{${list.map(([key, isEscaped, gap, value]) => `${quoted(key, isEscaped)}${gap}:${value}`).join(',')}}`,
      ),
  }))

  it('is not deceived by what somebody added to the prototype of all objects', () => {
    // As long as the member that is there twice: counted, it would make up for it.
    Object.assign(Object.prototype, { added: 1 })
    const [twice, once] = [parseJsonObject('{"fives":5,"fives":5}'), parseJsonObject('{"fives":5}')]
    Reflect.deleteProperty(Object.prototype, 'added')
    expect(twice).toMatch(/twice/)
    expect(once).toEqual({ fives: 5 })
  })

  it('says what the walk through the text says, whatever the members, escapes, numbers and spaces', () => {
    fc.assert(fc.property(json, expectSame), { numRuns: 20_000 })
    fc.assert(
      fc.property(json, fc.nat(), fc.string({ unit: 'binary', maxLength: 2 }), (text, at, put) => {
        const changed = text.slice(0, at % (text.length + 1)) + put + text.slice(at % (text.length + 1))
        // Decoded UTF-8 is never half a character.
        if (changed.isWellFormed()) expectSame(changed)
      }),
      runs,
    )
  })

  it('takes no shorter spelling of a number for room in which a member can hide', () => {
    for (const [short, long] of [
      ['1e3', '1000'],
      ['1e8', '100000000'],
      ['1e20', '100000000000000000000'],
      ['9e15', '9000000000000000'],
      ['-1e9', '-1000000000'],
      ['5e-324', '5e-324'],
    ] as const) {
      for (let length = 0; length < 25; length++) {
        const hidden = `{"n":${short},"x":"${'y'.repeat(length)}","x":1}`
        expect(parseJsonObject(hidden)).toBe('has a member twice')
      }
      expect(parseJsonObject(`{"n":${short},"x":1,"x":1}`)).toBe('has a member twice')
      expect(parseJsonObject(`{"n":${long}}`)).toEqual({ n: Number(long) })
    }
  })

  it('finds the member that came twice among any number of others', () => {
    for (let count = 0; count < 40; count++) {
      const others = Array.from({ length: count }, (_, n) => `,"m${n}":${n}`).join('')
      expect(parseJsonObject(`{"a":1${others},"a":1}`)).toBe('has a member twice')
      expect(parseJsonObject(`{"":[{"a":1${others},"a":1}]}`)).toBe('has a member twice')
      expect(typeof parseJsonObject(`{"a":1${others}}`)).toBe('object')
    }
  })

  it('counts the levels as the walk does', () => {
    const nested = (levels: number, open: string, close: string) =>
      `{"a":${open.repeat(levels)}1${close.repeat(levels)}}`
    for (const [open, close] of [
      ['[', ']'],
      ['{"b":', '}'],
    ] as const) {
      expect(typeof parseJsonObject(nested(15, open, close))).toBe('object')
      expect(parseJsonObject(nested(16, open, close))).toBe('is nested too deep')
      expect(parseJsonObject(`{"a":${nested(20, open, close)},"a":1}`)).toMatch(/nested too deep|twice/)
    }
  })

  it('is not misled by what somebody put on Object.prototype', () => {
    const texts = Array.from({ length: 30 }, (_, length) => `{"a":"${'y'.repeat(length)}","a":1}`)
    Object.defineProperty(Object.prototype, 'polluted', {
      value: 'x',
      enumerable: true,
      writable: true,
      configurable: true,
    })
    const found = texts.map(parseJsonObject)
    Reflect.deleteProperty(Object.prototype, 'polluted')
    expect(new Set(found)).toEqual(new Set(['has a member twice']))
  })

  it('refuses to sign what it would refuse to read, and nothing else', () => {
    const value = fc.anything({
      key: fc.oneof(fc.constantFrom('__proto__', 'a', '{', '[[['), fc.string()),
      maxDepth: 6,
      withDate: true,
      withNullPrototype: true,
      values: [
        fc.constantFrom('__proto__', '{{{{{{{{{{{{{{{{{{', '[', 1, true, null, undefined),
        fc.string(),
        fc.double(),
      ],
    })
    const deep = fc
      .tuple(fc.nat(20), fc.boolean())
      .map(([levels, inArrays]) =>
        Array.from({ length: levels }).reduce<unknown>((within) => (inArrays ? [within] : { within }), 1),
      )
    fc.assert(
      fc.property(fc.oneof(value, deep), (one) => {
        const written = JSON.stringify(one) as string | undefined
        const read = parseJsonObject(String(written))
        expect(findWrittenFault(written)).toBe(typeof read === 'string' ? read : undefined)
      }),
      runs,
    )
  })

  it('signs no claims that turn into something else while they are written', () => {
    const key = generateKey('HS256')
    let asked = 0
    const turncoat = {
      get toJSON() {
        return asked++ === 0 ? undefined : () => undefined
      },
    }
    expectRefusal(() => createSigner({ key })(turncoat), 'claim_invalid', /is not JSON/)
  })
})

describe('text and bytes', () => {
  it('are UTF-8 exactly when Node says so, and are read alike', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 20 }).map((text) => new TextEncoder().encode(text)),
      fc.constantFrom(
        [0xef, 0xbf, 0xbd],
        [0xed, 0xa0, 0x80],
        [0xc0, 0x80],
        [0xef, 0xbb, 0xbf, 0x41],
        [0xf4, 0x90, 0x80, 0x80],
      ),
    )
    fc.assert(
      fc.property(bytes, (given) => {
        const buffer = Buffer.from(given)
        expect(decodeUtf8(buffer)).toBe(isUtf8(buffer) ? buffer.toString() : undefined)
        expect(decodeTextBase64url(buffer.toString('base64url'))).toBe(decodeUtf8(buffer))
      }),
      runs,
    )
  })

  it('are base64url only in the canonical spelling, in any size, and with no character taken for another', () => {
    const spelled = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.stringMatching(/^[\w+/=-]{0,12}$/),
      fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
      fc
        .tuple(fc.stringMatching(/^[\w-]{1,9}$/), fc.nat(8))
        .map(([text, at]) =>
          [...text].map((one, n) => (n === at ? String.fromCharCode(one.charCodeAt(0) + 256) : one)).join(''),
        ),
    )
    fc.assert(
      fc.property(spelled, (text) => {
        const bits = [...text].map((one) =>
          'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(one),
        )
        const stray = [0, 6, 4, 2][text.length % 4] ?? 0
        const isCanonical =
          !bits.includes(-1) && text.length % 4 !== 1 && ((bits.at(-1) ?? 0) & ((1 << stray) - 1)) === 0
        expect(borrowBase64url(text) !== undefined, JSON.stringify(text)).toBe(isCanonical)
      }),
      { numRuns: 20_000 },
    )
    for (const length of [5461, 5462, 16_383, 16_384, 16_385, 40_000]) {
      const text = '마'.repeat(length)
      expect(decodeTextBase64url(encodeTextBase64url(text))).toBe(text)
    }
  })
})

describe('shared memory', () => {
  const algorithms: Algorithm[] = ['HS256', 'RS256', 'PS256', 'ES256', 'Ed25519']

  it('is read as long as it was written, whatever lengths came before', () => {
    const lengths = [...Array(600).keys(), ...Array(600).keys(), 20_000, 3, 20_000]
    for (const length of lengths) {
      const bytes = Buffer.alloc(length, length)
      expect(borrowBase64url(bytes.toString('base64url'))?.equals(bytes), `${length} bytes`).toBe(true)
    }
  })

  it('never shows in what was handed out: payloads, claims and signatures stay as they were', () => {
    for (const alg of algorithms) {
      const key = generateKey(alg)
      const verify = createVerifier({ keys: key, ...POLICY })
      const [one, two] = ['one', 'two'].map((sub) => signJwt({ claims: { ...CLAIMS, sub }, key })) as [
        string,
        string,
      ]
      const payload = verifyJws({ token: signJws({ payload: 'a payload', key }), keys: key })
      const decoded = decodeUnverified(one)
      const signature = Buffer.from(decoded.signature)
      const verified = verify(one)
      verify(two)
      decodeUnverified(two)
      verifyJws({ token: two, keys: key })
      expect(Buffer.from(payload).toString()).toBe('a payload')
      expect(payload.buffer.byteLength).toBe(payload.byteLength)
      expect(Buffer.from(decoded.signature)).toEqual(signature)
      expect([decoded.claims.sub, verified.claims.sub]).toEqual(['one', 'one'])
      payload.fill(0)
      decoded.signature.fill(0)
      expect(verify(one).claims.sub).toBe('one')
    }
  })

  it('bears a clock and a key set that verify other tokens in the middle of it', () => {
    for (const alg of algorithms) {
      const key = generateKey(alg)
      const [outer, inner] = ['outer', 'inner'].map((sub) =>
        signJwt({ claims: { ...CLAIMS, sub }, key }),
      ) as [string, string]
      const within = createVerifier({ keys: key, ...POLICY })
      const seen: unknown[] = []
      const meddle = <Value>(value: Value): Value => {
        seen.push(within(inner).claims.sub)
        return value
      }
      const verify = createVerifier({
        ...POLICY,
        keys: { find: () => meddle(key) },
        clock: () => meddle(POLICY.clock()),
        cache: { max: 2 },
      })
      for (let n = 0; n < 3; n++) expect(verify(outer).claims.sub).toBe('outer')
      expect(new Set(seen)).toEqual(new Set(['inner']))
    }
  })
})

describe('a payload that is spelled another way than it was signed, or signed in a wrong spelling', () => {
  const secret = generateKey('HS256')
  const pair = generateKey('Ed25519')
  const signedBy = {
    HS256: (input: string) =>
      createHmac('sha256', secret.keyObject).update(input, 'latin1').digest('base64url'),
    Ed25519: (input: string) =>
      cryptoSign(null, Buffer.from(input, 'latin1'), pair.keyObject).toString('base64url'),
  }
  const forge = (key: Key, sign: (input: string) => string, payload: string) => {
    const input = `${segment({ alg: key.alg, typ: 'JWT', kid: key.kid })}.${payload}`
    return `${input}.${sign(input)}`
  }
  const good = segment({ ...CLAIMS, a: 1 })

  it.each([
    ['padding', `${good}==`],
    ['white space', `${good.slice(0, 8)} ${good.slice(8)}`],
    ['stray bits', good.replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1))],
    ['a character whose low byte was signed', String.fromCharCode(good.charCodeAt(0) + 256) + good.slice(1)],
    [
      'another alphabet',
      `${segment(Buffer.from([0xfb, 0xff, 0xbf]).toString('latin1')).replaceAll('_', '/')}+/`,
    ],
  ])('is refused for %s, though the signature holds', (_, payload) => {
    for (const [key, sign] of [
      [secret, signedBy.HS256],
      [pair, signedBy.Ed25519],
    ] as const) {
      const token = forge(key, sign, payload)
      expectRefusal(() => verifyJws({ token, keys: key }), 'token_malformed', /payload is not canonical/)
      expectRefusal(
        () => verifyJwt({ token, keys: key, ...POLICY }),
        'token_malformed',
        /payload is not canonical/,
      )
      expectRefusal(
        () => verifyJws({ token: `${token.slice(0, -9)}AAAAAAAAA`, keys: key }),
        'token_malformed',
      )
      expect(verifyJwt({ token: forge(key, sign, good), keys: key, ...POLICY }).claims['a']).toBe(1)
    }
  })
})

describe('the header that is remembered', () => {
  const key = generateKey('HS256')
  const verify = createVerifier({ keys: key, ...POLICY })
  const token = signJwt({ claims: CLAIMS, key, header: { nested: { list: [1] } } })
  const [header = '', payload = '', signature = ''] = token.split('.')

  it('is frozen through and through', () => {
    for (const seen of [verify(token).header, verify(token).header, decodeUnverified(token).header]) {
      const { nested } = seen as unknown as { nested: { list: number[] } }
      expect([seen, nested, nested.list].every(Object.isFrozen)).toBe(true)
    }
    expect(verify(token).header).toBe(verify(token).header)
  })

  it('lends itself to no other spelling, and a refused one is refused again', () => {
    const others = [
      `${header.slice(0, -1)}${String.fromCharCode(header.charCodeAt(header.length - 1) + 256)}`,
      `${header}=`,
      `${header} `,
      header.slice(0, -1),
      segment({ alg: 'none', typ: 'JWT' }),
      segment({ alg: 'HS256', typ: 'JWT', crit: ['exp'], exp: 1 }),
      segment({ alg: 'HS256', typ: 'other' }),
      segment('{"alg":"HS256","alg":"HS256","typ":"JWT"}'),
    ]
    for (const other of others) {
      for (let n = 0; n < 2; n++) {
        expect(() => verify(`${other}.${payload}.${signature}`)).toThrow()
        expect(verify(token).claims).toEqual(CLAIMS)
        if (decodeUnverified(token).header.alg !== 'HS256') throw new Error('another header was remembered')
      }
    }
  })

  it('is read anew when it is long', () => {
    const long = signJwt({ claims: CLAIMS, key, header: { x5c: ['A'.repeat(2000)] } })
    expect(verify(long).header).not.toBe(verify(long).header)
    expect(verify(long).header).toEqual(verify(long).header)
  })

  it('is remembered up to 1024 characters', () => {
    const padded = (length: number) => {
      const bare = segment({ alg: 'HS256', typ: 'JWT', x: '', kid: key.kid })
      const x = 'x'.repeat(Math.floor((length * 3) / 4) - Math.floor((bare.length * 3) / 4))
      return signJwt({ claims: CLAIMS, key, header: { x } })
    }
    expect(padded(1024).indexOf('.')).toBe(1024)
    expect(verify(padded(1024)).header).toBe(verify(padded(1024)).header)
    expect(padded(1026).indexOf('.')).toBe(1026)
    expect(verify(padded(1026)).header).not.toBe(verify(padded(1026)).header)
  })
})

describe('RSASSA-PSS through a restricted key', () => {
  it.each([256, 384, 512])('PS%i takes a salt as long as the hash and no other (RFC 7518 §3.5)', (size) => {
    const key = generateKey(`PS${size}` as Algorithm)
    const input = `${segment({ alg: key.alg, typ: 'JWT', kid: key.kid })}.${segment(CLAIMS)}`
    const signed = (saltLength: number, hash = `sha${size}`) =>
      `${input}.${cryptoSign(hash, Buffer.from(input), { key: key.keyObject, padding: 6, saltLength }).toString('base64url')}`
    expect(verifyJwt({ token: signed(size / 8), keys: key, ...POLICY }).claims).toEqual(CLAIMS)
    for (const salt of [0, 20, size / 8 - 1, size / 8 + 1, 100])
      expectRefusal(() => verifyJwt({ token: signed(salt), keys: key, ...POLICY }), 'signature_invalid')
    expectRefusal(
      () => verifyJwt({ token: signed(size / 8, size === 256 ? 'sha384' : 'sha256'), keys: key, ...POLICY }),
      'signature_invalid',
    )
  })
})
