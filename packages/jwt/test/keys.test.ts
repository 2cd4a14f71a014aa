import {
  createHash,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import {
  createSigner,
  exportJwk,
  generateKey,
  importKey,
  type Jwk,
  jwkThumbprint,
  signJwt,
  toPublicKey,
  verifyJwt,
} from '@mapae/jwt'
import { describe, expect, it } from 'vitest'
import { ALGORITHMS, CLAIMS, expectRefusal, POLICY } from './support.ts'

/** Self-signed, made with OpenSSL for this test. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIUETpo/KsOixHZ3UL8siSY8NCtOGkwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMdGVzdC5leGFtcGxlMCAXDTI2MTEyNTEyNTExOFoYDzIxMjYx
MTAxMTI1MTE4WjAXMRUwEwYDVQQDDAx0ZXN0LmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQVQaOAbr+cO7dIBPJuoI/G3/myrXFU8V7/yw3qRBHPEKgH
1jTVA/KlX0hOj1Kyvq1la/ArXESS0YClfjFw7HtEo1MwUTAdBgNVHQ4EFgQUOyE7
qfW+hKOWv8qeWQuGPH7ZbTgwHwYDVR0jBBgwFoAUOyE7qfW+hKOWv8qeWQuGPH7Z
bTgwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA3ESfqG3ZLNVA
tKnNWBoAqeDwA1f8CzmcOvaVV9HjF/4CIF+pG3ZKzZOKlKzpg2N9hs9EB7AFpqoN
+YkxQyxERzI/
-----END CERTIFICATE-----`

/** The y coordinates of the points of order 1, 2, 4 and 8, reduced and not. */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]

const PRIVATE = { dangerouslyIncludePrivate: true }
const ec = generateKey('ES256')
const rsa = generateKey('RS256')
const ed = generateKey('Ed25519')
const secret = generateKey('HS256')
const refuses = (input: Jwk | string | KeyObject, message?: RegExp, options = {}) =>
  expectRefusal(() => importKey(input, options), 'key_invalid', message)

describe('a key', () => {
  it.each(ALGORITHMS)('of %s is frozen and comes back from its JWK the same', (alg) => {
    const key = generateKey(alg)
    expect(Object.isFrozen(key)).toBe(true)
    const again = importKey(exportJwk(key, PRIVATE))
    expect(again).toMatchObject({ alg, kid: key.kid, use: key.use })
    expect(again.keyObject.equals(key.keyObject)).toBe(true)
    const keys = key.use === 'secret' ? again : importKey(exportJwk(key))
    expect(verifyJwt({ token: signJwt({ claims: CLAIMS, key }), keys, ...POLICY }).claims).toEqual(CLAIMS)
  })

  it('has the thumbprint as its kid unless it is given one', () => {
    expect(ec.kid).toBe(jwkThumbprint(ec))
    expect(toPublicKey(ec).kid).toBe(ec.kid)
    expect(generateKey('ES256', { kid: 'mine' }).kid).toBe('mine')
    expect(importKey({ ...exportJwk(ec), kid: 'a' }).kid).toBe('a')
    expect(importKey({ ...exportJwk(ec), kid: 'a' }, { kid: 'b' }).kid).toBe('b')
  })

  it('is read from PEM of every kind', () => {
    for (const [key, types] of [
      [rsa, ['pkcs1', 'pkcs8']],
      [ec, ['sec1', 'pkcs8']],
      [ed, ['pkcs8']],
    ] as const) {
      for (const type of types) {
        const pem = key.keyObject.export({ type, format: 'pem' }).toString()
        expect(importKey(pem, { alg: key.alg })).toMatchObject({ kid: key.kid, use: 'private', alg: key.alg })
      }
      const pem = toPublicKey(key).keyObject.export({ type: 'spki', format: 'pem' }).toString()
      expect(importKey(pem, { alg: key.alg })).toMatchObject({ kid: key.kid, use: 'public' })
    }
    const pkcs1 = toPublicKey(rsa).keyObject.export({ type: 'pkcs1', format: 'pem' }).toString()
    expect(importKey(pkcs1, { alg: 'PS512' })).toMatchObject({ kid: rsa.kid, use: 'public', alg: 'PS512' })
  })

  it('needs no algorithm where its type leaves no choice', () => {
    expect(importKey(ec.keyObject).alg).toBe('ES256')
    expect(importKey(generateKey('ES384').keyObject).alg).toBe('ES384')
    expect(importKey(ed.keyObject).alg).toBe('Ed25519')
    refuses(rsa.keyObject, /name one/)
    refuses(secret.keyObject, /name one/)
  })
})

describe('a public key', () => {
  it('is there to verify, and never signs', () => {
    for (const key of [ec, rsa, ed]) {
      const own = importKey(exportJwk(key))
      expect(own.use).toBe('public')
      expectRefusal(() => createSigner({ key: own }), 'key_invalid', /public key may not sign/)
    }
  })
})

describe('importKey refuses', () => {
  it('what is no key', () => {
    // @ts-expect-error
    for (const input of [null, undefined, 5, [], true]) refuses(input)
    // @ts-expect-error
    refuses(ec)
    for (const input of [
      '',
      'secret',
      '-----BEGIN CERTIFICATE-----',
      '-----BEGIN ENCRYPTED PRIVATE KEY-----',
    ])
      refuses(input, /not a PEM of an unencrypted/)
    refuses('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', /could not be read/)
    refuses('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----', /could not be read/)
  })

  it('a PEM or a public key as an HMAC secret', () => {
    for (const key of [ec, rsa, ed, toPublicKey(rsa)]) {
      const type = key.use === 'public' ? 'spki' : 'pkcs8'
      for (const alg of ['HS256', 'HS384', 'HS512'] as const) {
        refuses(key.keyObject.export({ type, format: 'pem' } as never).toString(), /secret/, { alg })
        refuses(key.keyObject, /secret/, { alg })
        refuses({ ...exportJwk(key), alg: undefined }, /secret/, { alg })
      }
    }
    refuses({ ...exportJwk(secret, PRIVATE), alg: undefined }, /RSA key/, { alg: 'RS256' })
  })

  it('a secret whose bytes are a key of another kind or a certificate', () => {
    const spki = { type: 'spki', format: 'der' } as const
    const disguised = [
      rsa.keyObject.export({ type: 'pkcs8', format: 'pem' }),
      `\n ${toPublicKey(ec).keyObject.export({ type: 'spki', format: 'pem' })}`,
      toPublicKey(rsa).keyObject.export(spki),
      toPublicKey(ec).keyObject.export(spki),
      toPublicKey(ed).keyObject.export(spki),
      toPublicKey(rsa).keyObject.export({ type: 'pkcs1', format: 'der' }),
      CERTIFICATE,
      Buffer.from(CERTIFICATE.replace(/-----.*-----/g, ''), 'base64'),
      `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'A'.repeat(44)} somebody@example`,
      `---- BEGIN SSH2 PUBLIC KEY ----\n${'A'.repeat(60)}`,
      JSON.stringify(exportJwk(ec)),
      JSON.stringify({ keys: [exportJwk(rsa)] }, null, 2),
    ]
    for (const bytes of disguised) {
      refuses(createSecretKey(Buffer.from(bytes)), /another kind/, { alg: 'HS256' })
      refuses({ kty: 'oct', k: Buffer.from(bytes).toString('base64url') }, /another kind/, { alg: 'HS256' })
    }
    for (const text of ['{"a":1}', 'ssh-keys are not what this is', 'a ----- BEGIN of something', '마패 '])
      expect(importKey(createSecretKey(Buffer.from(text.padEnd(40, '.'))), { alg: 'HS256' }).use).toBe(
        'secret',
      )
  })

  it.each([
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ] as const)('a secret for %s under %i bytes', (alg, bytes) => {
    refuses(createSecretKey(Buffer.alloc(bytes - 1, 1)), /at least/, { alg })
    expect(importKey(createSecretKey(Buffer.alloc(bytes, 1)), { alg }).alg).toBe(alg)
    expect(importKey(createSecretKey(Buffer.alloc(300, 1)), { alg }).use).toBe('secret')
    refuses({ kty: 'oct', k: '' }, /at least/, { alg })
  })

  it('an algorithm that does not exist, or that is not the JWK’s own', () => {
    // @ts-expect-error
    expectRefusal(() => importKey(ec.keyObject, { alg: 'none' }), 'unsupported_algorithm')
    expectRefusal(() => importKey({ ...exportJwk(ec), alg: 'ECDH-ES' }), 'unsupported_algorithm')
    refuses({ ...exportJwk(rsa) }, /another algorithm/, { alg: 'PS256' })
    refuses({ ...exportJwk(ec), alg: 'ES384' }, /curve/)
    refuses(ec.keyObject, /curve/, { alg: 'ES512' })
    refuses(ec.keyObject, /Ed25519/, { alg: 'Ed25519' })
    refuses(ed.keyObject, /curve/, { alg: 'ES256' })
    expect(importKey({ ...exportJwk(ed), alg: 'EdDSA' }, { alg: 'Ed25519' }).alg).toBe('Ed25519')
    // @ts-expect-error
    expectRefusal(() => generateKey('none'), 'unsupported_algorithm')
  })

  it('weak RSA keys (RFC 8725bis, RFC 7518 §3.3) and other types', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
    refuses(short.publicKey, /2048/, { alg: 'RS256' })
    const three = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })
    refuses(three.privateKey, /65537/, { alg: 'RS256' })
    const jwk = exportJwk(rsa)
    refuses({ ...jwk, e: Buffer.from([1, 0, 0]).toString('base64url') }, /65537/)
    refuses({ ...jwk, n: Buffer.alloc(2049, 0xff).toString('base64url') }, /at most/)
    refuses(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey, /RSA key/, { alg: 'PS256' })
    refuses(generateKeyPairSync('ed448').publicKey, /name one/)
    refuses(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey, /name one/)
  })

  it('an Ed25519 key of small order, under which anybody can sign', () => {
    for (const y of SMALL_ORDER) {
      for (const sign of [0, 0x80]) {
        const point = Buffer.from(y, 'hex')
        point[31] = Number(point[31]) | sign
        const jwk = { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') }
        refuses(jwk, /small order/, { alg: 'Ed25519' })
        refuses(createPublicKey({ key: jwk, format: 'jwk' }), /small order/, { alg: 'EdDSA' })
      }
    }
    expect(importKey(ed.keyObject).use).toBe('private')
    const far = Buffer.from(String(SMALL_ORDER[1]), 'hex')
    far[0] = 9
    expect(importKey({ kty: 'OKP', crv: 'Ed25519', x: far.toString('base64url') }).use).toBe('public')
  })

  it('a JWK that is not for signatures, and honours key_ops', () => {
    const jwk = exportJwk(ec, PRIVATE)
    refuses({ ...jwk, use: 'enc' }, /use/)
    refuses({ ...jwk, key_ops: ['encrypt'] }, /key_ops/)
    // @ts-expect-error
    refuses({ ...jwk, key_ops: 'sign' }, /key_ops/)
    refuses({ ...jwk, key_ops: ['sign', 'sign'] }, /twice/)
    const signs = importKey({ ...jwk, key_ops: ['sign'] })
    const verifies = importKey({ ...jwk, key_ops: ['verify'] })
    const token = signJwt({ claims: CLAIMS, key: signs })
    expectRefusal(() => signJwt({ claims: CLAIMS, key: verifies }), 'key_invalid')
    expectRefusal(() => verifyJwt({ token, keys: signs, ...POLICY }), 'key_invalid')
    expect(verifyJwt({ token, keys: verifies, ...POLICY }).claims).toEqual(CLAIMS)
    expect(verifyJwt({ token, keys: toPublicKey(signs), ...POLICY }).claims).toEqual(CLAIMS)
  })

  it('a JWK with members that are missing, wrong or not canonical', () => {
    const jwk = exportJwk(ec)
    refuses({ kty: 'X' }, /kty/)
    // @ts-expect-error
    refuses({}, /kty/)
    refuses({ ...jwk, y: undefined }, /no member y/)
    // @ts-expect-error
    refuses({ ...jwk, x: 5 }, /no member x/)
    refuses({ ...jwk, x: `${jwk.x}=` })
    refuses({ ...jwk, x: jwk.y, y: jwk.x }, /out of range/)
    refuses({ ...jwk, crv: 'P-384' })
    refuses({ ...exportJwk(ec, PRIVATE), d: 'AAAA' })
    refuses(
      {
        ...exportJwk(rsa),
        n: Buffer.concat([Buffer.alloc(1), Buffer.from(exportJwk(rsa).n ?? '', 'base64url')]).toString(
          'base64url',
        ),
      },
      /canonical/,
    )
    refuses({ ...exportJwk(rsa, PRIVATE), oth: [] }, /two primes/)
    refuses({ ...exportJwk(rsa, PRIVATE), qi: undefined }, /no member qi/)
    refuses({ kty: 'oct', k: 'a+b=' }, /canonical/, { alg: 'HS256' })
    refuses({ kty: 'oct' }, /canonical/, { alg: 'HS256' })
    refuses({ ...jwk, kid: '' }, /kid/)
    // @ts-expect-error
    refuses({ ...jwk, kid: 5 }, /kid/)
    expect(importKey({ ...jwk, unknown: { a: 1 } }).alg).toBe('ES256')
  })

  it('a private part that belongs to another public part', () => {
    const other = exportJwk(generateKey('ES256'), PRIVATE)
    refuses({ ...exportJwk(ec, PRIVATE), d: other.d }, /belong together|out of range|canonical/)
    const otherEd = exportJwk(generateKey('Ed25519'), PRIVATE)
    refuses({ ...exportJwk(ed, PRIVATE), d: otherEd.d }, /belong together|canonical/)
    const otherRsa = exportJwk(generateKey('RS256'), PRIVATE)
    refuses({ ...exportJwk(rsa, PRIVATE), n: otherRsa.n }, /belong together|out of range/)
  })
})

describe('exportJwk', () => {
  it('gives public members only, unless asked by name', () => {
    expect(Object.keys(exportJwk(ec))).toEqual(['kty', 'crv', 'x', 'y', 'kid', 'alg', 'use'])
    expect(Object.keys(exportJwk(rsa))).toEqual(['kty', 'e', 'n', 'kid', 'alg', 'use'])
    expect(Object.keys(exportJwk(ed))).toEqual(['kty', 'crv', 'x', 'kid', 'alg', 'use'])
    expect(Object.keys(exportJwk(toPublicKey(ed), PRIVATE))).toEqual(['kty', 'crv', 'x', 'kid', 'alg', 'use'])
    expect(exportJwk(ec, PRIVATE).d).toBeTypeOf('string')
    expect(exportJwk(secret, PRIVATE).k).toBeTypeOf('string')
    expectRefusal(() => exportJwk(secret), 'options_invalid')
    expectRefusal(() => exportJwk({ ...ec }), 'key_invalid')
  })
})

describe('toPublicKey', () => {
  it('leaves a public key as it is and refuses a secret', () => {
    const publicKey = toPublicKey(ec)
    expect(toPublicKey(publicKey)).toBe(publicKey)
    expectRefusal(() => toPublicKey(secret), 'key_invalid')
  })
})

describe('jwkThumbprint', () => {
  it('of a secret is that of its bytes (RFC 7638 §3.2.1)', () => {
    const k = secret.keyObject.export().toString('base64url')
    const expected = createHash('sha256').update(`{"k":"${k}","kty":"oct"}`).digest('base64url')
    expect(jwkThumbprint({ kty: 'oct', k, alg: 'HS256' })).toBe(expected)
    expect(jwkThumbprint(secret)).toBe(expected)
  })

  it('is that of RFC 7638 §3.1, and of RFC 8037 appendix A.3', () => {
    expect(
      jwkThumbprint({
        kty: 'RSA',
        n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
        e: 'AQAB',
        alg: 'RS256',
        kid: '2011-04-29',
      }),
    ).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
    expect(
      jwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }),
    ).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it('is one for a key and its JWK, private or public, in each hash', () => {
    for (const key of [ec, rsa, ed, secret]) {
      for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
        expect(jwkThumbprint(exportJwk(key, PRIVATE), hash)).toBe(jwkThumbprint(key, hash))
      }
    }
  })

  it('refuses JWKs without what they need', () => {
    expectRefusal(() => jwkThumbprint({ kty: 'x' }), 'key_invalid')
    expectRefusal(() => jwkThumbprint({ kty: 'RSA', e: 'AQAB' }), 'key_invalid')
    expectRefusal(() => jwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: 'a+' }), 'key_invalid')
    expectRefusal(() => jwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: '' }), 'key_invalid', /no member x/)
    expectRefusal(() => jwkThumbprint({ kty: 'OKP', crv: '', x: 'aaaa' }), 'key_invalid', /no member crv/)
  })
})
