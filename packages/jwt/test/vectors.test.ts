import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type JsonWebKey,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  type Algorithm,
  createJwkSet,
  decodeUnverified,
  exportJwk,
  generateKey,
  importKey,
  type Jwk,
  jwkThumbprint,
  signJws,
  signJwt,
  verifyJws,
  verifyJwt,
} from '@mapae/jwt'
import { decryptJwt, type EncryptionAlgorithm, importEncryptionKey } from '@mapae/jwt/jwe'
import { describe, expect, it } from 'vitest'
import {
  CLAIMS,
  encryptDirectly,
  expectRefusal,
  expectRejection,
  hasMlDsa,
  POLICY,
  segment,
} from './support.ts'

interface Signed {
  readonly section: string
  readonly alg: Algorithm | 'none'
  readonly jwk: Jwk
  readonly token: string
  readonly payload: string
}
interface Encrypted {
  readonly section: string
  readonly jwk?: Jwk
  readonly token: string
}
interface Text {
  readonly section: string
  readonly text: string
}

/** Values of an RFC as they are printed there; each file names its source. */
function load<Vectors>(name: string): Vectors {
  return JSON.parse(readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), 'utf8'))
}

const rfc7515 = load<{ compact: Signed[]; json: Text[] }>('rfc7515')
const rfc7516 = load<{ compact: Encrypted[] }>('rfc7516')
const rfc7517 = load<{
  public: { keys: Jwk[] }
  private: { keys: Jwk[] }
  symmetric: { keys: Jwk[] }
  x5c: Jwk
  rsaPrivate: Jwk
}>('rfc7517')
const rfc7518 = load<{ alice: Jwk; bob: Jwk; enc: string; apu: string; apv: string; derived: string }>(
  'rfc7518',
)
const rfc7520 = load<{
  publicKeys: { ec: Jwk; rsa: Jwk }
  compact: Signed[]
  signedJson: Text[]
  encrypted: Encrypted[]
  encryptedJson: Text[]
}>('rfc7520')
const rfc7797 = load<{ payload: string; jwk: Jwk; tokens: { header: string; signature: string }[] }>(
  'rfc7797',
)
const rfc8037 = load<{
  private: Jwk
  public: Jwk
  thumbprint: string
  token: string
  payload: string
  x25519: { bob: Jwk; ephemeral: Jwk; z: string }
}>('rfc8037')
const rfc9964 = load<{
  vectors: { alg: Algorithm; kid: string; pub: string; token: string; payload: string }[]
}>('rfc9964')

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

/** Another signature of the same length: the vector must not pass by chance. */
const spoiled = (token: string) => {
  const dot = token.lastIndexOf('.') + 1
  const signature = Buffer.from(token.slice(dot), 'base64url')
  signature[5] = Number(signature[5]) ^ 1
  return token.slice(0, dot) + signature.toString('base64url')
}

describe.each([
  ['RFC 7515 appendix', rfc7515.compact],
  ['RFC 7520 §', rfc7520.compact],
] as const)('%s', (_, examples) => {
  const signed = examples.filter((example) => example.alg !== 'none')

  it.each(signed)('$section ($alg) is verified, and refused when its signature is spoiled', (example) => {
    const { payload, token } = example
    const whole = importKey({ ...example.jwk, alg: example.alg })
    const isSecret = whole.use === 'secret'
    const keys = isSecret ? whole : importKey(exportJwk(whole))
    // Where the token names no key, or another one than the thumbprint, the one key of its algorithm answers.
    expect(text(verifyJws({ token, keys }))).toBe(payload)
    expectRefusal(() => verifyJws({ token: spoiled(token), keys }), 'signature_invalid')
  })

  it('is signed again to the very same bytes, where the header is what we write and signing is deterministic', () => {
    const own = signed.filter(({ alg, jwk }) => jwk.kid !== undefined && /^(?:HS|RS)/.test(alg))
    const kept = own.filter(({ token }) => decodeHeader(token)['kid'] !== undefined)
    for (const { alg, jwk, payload, token } of kept)
      expect(signJws({ payload, key: importKey({ ...jwk, alg }) })).toBe(token)
    expect(examples === rfc7515.compact || kept.length >= 3).toBe(true)
  })

  it('refuses the unsecured ones', () => {
    for (const { token } of examples.filter(({ alg }) => alg === 'none')) {
      expect(token.endsWith('.')).toBe(true)
      expectRefusal(() => verifyJws({ token, keys: generateKey('HS256') }), 'unsupported_algorithm')
    }
  })
})

const decodeHeader = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())

describe('JSON serializations (RFC 7515 A.6 and A.7; RFC 7520 §4.5 to §4.8)', () => {
  const key = importKey({ ...rfc7520.compact[3]?.jwk, kty: 'oct', alg: 'HS256' })

  it.each([...rfc7515.json, ...rfc7520.signedJson])('of $section are no JWT', ({ section, text }) => {
    // Detached content is a compact JWS whose payload is empty, and so not what was signed.
    const code = section === '4.5' ? 'signature_invalid' : 'token_malformed'
    expectRefusal(() => verifyJws({ token: text, keys: key }), code)
    expectRefusal(() => decodeUnverified(text), 'token_malformed')
  })

  it('hold the signatures of A.2 and A.3 in A.6', () => {
    const { payload, signatures } = JSON.parse(String(rfc7515.json[0]?.text))
    const [rsa, ec] = [rfc7515.compact[1], rfc7515.compact[2]]
    for (const [at, example] of [rsa, ec].entries()) {
      const { protected: header, signature } = signatures[at]
      expect(`${header}.${payload}.${signature}`).toBe(example?.token)
    }
  })
})

describe('RFC 7797 (b64)', () => {
  it.each(rfc7797.tokens)('a token with the header $header is refused, though its MAC is right', (vector) => {
    const secret = Buffer.from(String(rfc7797.jwk.k), 'base64url')
    const input = `${segment(vector.header)}.${rfc7797.payload}`
    expect(createHmac('sha256', secret).update(input).digest('base64url')).toBe(vector.signature)
    const keys = importKey({ ...rfc7797.jwk, alg: 'HS256' })
    const detached = `${segment(vector.header)}..${vector.signature}`
    expectRefusal(() => verifyJws({ token: detached, keys }), 'crit_unsupported')
    expectRefusal(() => verifyJws({ token: `${input}.${vector.signature}`, keys }), 'token_malformed')
  })
})

describe('RFC 7517', () => {
  const { public: publicSet, private: privateSet, symmetric, x5c, rsaPrivate } = rfc7517

  it('A.1 and A.2: of two keys, the one for encryption is left out of a set for signatures', () => {
    for (const { keys } of [publicSet, privateSet]) {
      expect(keys.map(({ use }) => use)).toEqual(['enc', undefined])
      expect(createJwkSet({ keys }).keys.map(({ alg, kid }) => [alg, kid])).toEqual([['RS256', '2011-04-29']])
    }
    const [ec, rsa] = publicSet.keys
    expect(importEncryptionKey({ ...ec, kty: 'EC' }, { alg: 'ECDH-ES' }).kid).toBe(ec?.kid)
    expect(jwkThumbprint({ ...rsa, kty: 'RSA' })).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  })

  it('A.2: the private keys belong to the public ones, and come back member by member', () => {
    const [ec, rsa] = privateSet.keys
    const signing = importKey({ ...rsa, kty: 'RSA' })
    const { use: _, ...exported } = exportJwk(signing, { dangerouslyIncludePrivate: true })
    expect(exported).toEqual(rsa)
    const publicKey = importKey({ ...publicSet.keys[1], kty: 'RSA' })
    const token = signJwt({ claims: CLAIMS, key: signing })
    expect(verifyJwt({ token, keys: publicKey, ...POLICY }).claims).toEqual(CLAIMS)
    const anyUse = { ...ec, kty: 'EC', use: undefined }
    const { alg: _a, use: _u, ...again } = exportJwk(importKey(anyUse), { dangerouslyIncludePrivate: true })
    expect({ ...again, use: 'enc' }).toEqual(ec)
  })

  it('A.3: the HMAC key is long enough for HS512, the key for A128KW is for nothing here', () => {
    const [wrapping, mac] = symmetric.keys
    expect(importKey({ ...mac, kty: 'oct' }, { alg: 'HS512' }).kid).toBe(mac?.kid)
    expectRefusal(() => importKey({ ...wrapping, kty: 'oct' }), 'unsupported_algorithm')
    expectRefusal(() => importEncryptionKey({ ...wrapping, kty: 'oct' }), 'unsupported_algorithm')
    expectRefusal(
      () => importEncryptionKey({ ...wrapping, kty: 'oct', alg: 'A256KW' }),
      'key_invalid',
      /does not fit/,
    )
  })

  it('B: the certificate beside a key is left alone', () => {
    const key = importKey(x5c, { alg: 'RS256' })
    expect(exportJwk(key)).not.toHaveProperty('x5c')
    expect(key.kid).toBe(x5c.kid)
  })

  it('C.1: the private key for encryption is not one for signatures', () => {
    expectRefusal(() => importKey(rsaPrivate, { alg: 'RS256' }), 'key_invalid', /use/)
    expect(importEncryptionKey(rsaPrivate, { alg: 'RSA-OAEP-256' }).use).toBe('private')
  })
})

describe('RFC 7520 §3', () => {
  it('gives public keys that are those of the private ones', () => {
    const { ec, rsa } = rfc7520.publicKeys
    for (const [jwk, alg] of [
      [ec, 'ES512'],
      [rsa, 'RS256'],
    ] as const) {
      const whole = rfc7520.compact.find((example) => example.alg === alg)?.jwk
      const { alg: _, ...exported } = exportJwk(importKey({ ...whole, kty: jwk.kty }, { alg }))
      expect(exported).toEqual(jwk)
    }
  })
})

describe('encrypted tokens of the RFCs', () => {
  const verifying = { keys: generateKey('ES256'), ...POLICY }
  const decryptWith = importEncryptionKey(rfc7518.bob, { alg: 'ECDH-ES' })
  /** What of an example is refused first: its key management, or else its content encryption. */
  const expected = (token: string) =>
    ['dir', 'A256KW', 'ECDH-ES', 'RSA-OAEP-256'].includes(String(decodeHeader(token)['alg']))
      ? 'algorithm_not_allowed'
      : 'unsupported_algorithm'

  it.each([...rfc7516.compact, ...rfc7520.encrypted])(
    '$section is refused for its algorithms',
    async (example) => {
      const { jwk, section, token } = example
      const isCompressed = section === '5.9'
      const code = isCompressed ? 'token_malformed' : expected(token)
      const error = await expectRejection(decryptJwt({ token, decryptWith, ...verifying }), code)
      if (isCompressed) expect(error.description).toMatch(/zip/)
      const alg = String(decodeHeader(token)['alg'])
      if (!jwk || code === 'unsupported_algorithm' || isCompressed) return
      const named = { ...jwk, alg: undefined }
      if (jwk.kty === 'oct') expectRefusal(() => importEncryptionKey(named, { alg: 'dir' }), 'key_invalid')
      else {
        const own = importEncryptionKey(named, { alg: alg as EncryptionAlgorithm })
        await expectRejection(decryptJwt({ token, decryptWith: own, ...verifying }), 'algorithm_not_allowed')
      }
    },
  )

  it.each(rfc7520.encryptedJson)('§$section in the JSON serialization is no JWT', async ({ text }) => {
    await expectRejection(decryptJwt({ token: text, decryptWith, ...verifying }), 'token_malformed')
  })

  it('never derive a key from a password, however many iterations p2c asks for (RFC 7520 §5.3)', async () => {
    const example = rfc7520.encrypted.find(({ section }) => section === '5.3')
    const token = String(example?.token)
    expect(decodeHeader(token)).toMatchObject({ alg: 'PBES2-HS512+A256KW', p2c: 8192 })
    await expectRejection(decryptJwt({ token, decryptWith, ...verifying }), 'unsupported_algorithm')
  })
})

describe('ECDH-ES (RFC 7518 appendix C, RFC 8037 appendix A.6)', () => {
  const { alice, bob, enc, apu, apv, derived } = rfc7518
  const { x25519 } = rfc8037
  const agree = (own: Jwk, theirs: Jwk) => {
    const { d: _, ...publicJwk } = theirs
    return diffieHellman({
      privateKey: createPrivateKey({ key: own as JsonWebKey, format: 'jwk' }),
      publicKey: createPublicKey({ key: publicJwk as JsonWebKey, format: 'jwk' }),
    })
  }

  it('has the key that the RFC derives, by the derivation of this test', () => {
    const key = concatKdf(agree(alice, bob), { enc, bits: 128, apu, apv })
    expect(key.toString('base64url')).toBe(derived)
    expect(agree(x25519.ephemeral, x25519.bob).toString('base64url')).toBe(x25519.z)
  })

  it.each([
    ['P-256', alice, bob, { apu, apv }],
    ['P-256, nobody named', alice, bob, {}],
    ['X25519', x25519.ephemeral, x25519.bob, {}],
  ])('decrypts with the key of the other side: %s', async (_, ephemeral, own, parties) => {
    const key = generateKey('ES256')
    const { d: _d, ...epk } = ephemeral
    const header = { alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', epk, ...parties }
    const cek = concatKdf(agree(ephemeral, own), { enc: 'A256GCM', bits: 256, ...parties })
    const token = encryptDirectly(header, signJwt({ claims: CLAIMS, key }), cek)
    const decryptWith = importEncryptionKey(own, { alg: 'ECDH-ES' })
    expect((await decryptJwt({ token, decryptWith, keys: key, ...POLICY })).claims).toEqual(CLAIMS)
    const other = encryptDirectly({ ...header, apu: 'AAAA' }, signJwt({ claims: CLAIMS, key }), cek)
    await expectRejection(
      decryptJwt({ token: other, decryptWith, keys: key, ...POLICY }),
      'decryption_failed',
    )
  })

  it('refuses a point of small order, whose secret everybody knows', async () => {
    const key = generateKey('ES256')
    const decryptWith = importEncryptionKey(x25519.bob, { alg: 'ECDH-ES' })
    for (const first of [0, 1]) {
      const x = Buffer.from([first, ...Buffer.alloc(31)]).toString('base64url')
      const header = { alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', epk: { kty: 'OKP', crv: 'X25519', x } }
      const cek = concatKdf(Buffer.alloc(32), { enc: 'A256GCM', bits: 256 })
      const token = encryptDirectly(header, signJwt({ claims: CLAIMS, key }), cek)
      await expectRejection(decryptJwt({ token, decryptWith, keys: key, ...POLICY }), 'decryption_failed')
    }
  })

  /** NIST SP 800-56A with SHA-256, one round (RFC 7518 §4.6.2): an independent one, to try ours against. */
  function concatKdf(z: Buffer, info: { enc: string; bits: 128 | 256; apu?: string; apv?: string }): Buffer {
    const number = (value: number) => Buffer.from([0, 0, value >> 8, value & 0xff])
    const counted = (bytes: Buffer) => Buffer.concat([number(bytes.length), bytes])
    const party = (name = '') => counted(Buffer.from(name, 'base64url'))
    const parts = [
      number(1),
      z,
      counted(Buffer.from(info.enc)),
      party(info.apu),
      party(info.apv),
      number(info.bits),
    ]
    return createHash('sha256')
      .update(Buffer.concat(parts))
      .digest()
      .subarray(0, info.bits / 8)
  }
})

describe('RFC 8037 appendix A (Ed25519)', () => {
  it('A.1 to A.3: private key, public key, thumbprint', () => {
    const key = importKey(rfc8037.private)
    const { alg: _a, kid, use: _u, ...publicJwk } = exportJwk(key)
    expect(publicJwk).toEqual(rfc8037.public)
    expect(kid).toBe(rfc8037.thumbprint)
    expect(jwkThumbprint(rfc8037.public)).toBe(rfc8037.thumbprint)
  })

  it('A.4 and A.5: the signature is verified; ours over the same input is the same', () => {
    const { payload, token } = rfc8037
    const keys = importKey(rfc8037.public, { alg: 'EdDSA' })
    expect(text(verifyJws({ token, keys }))).toBe(payload)
    expect(text(verifyJws({ token, keys: importKey(rfc8037.public) }))).toBe(payload)
    expectRefusal(() => verifyJws({ token: spoiled(token), keys }), 'signature_invalid')
    const key = importKey(rfc8037.private)
    const [first, second] = [signJws({ payload, key }), signJws({ payload, key })]
    expect(first).toBe(second)
    expect(text(verifyJws({ token: first, keys }))).toBe(payload)
  })

  it('refuses the signature with the order of the group added to s (RFC 8032 §8.4)', () => {
    const order = (1n << 252n) + 27742317777372353535851937790883648493n
    const dot = rfc8037.token.lastIndexOf('.') + 1
    const signature = Buffer.from(rfc8037.token.slice(dot), 'base64url')
    let s = order
    for (const [at, byte] of signature.subarray(32).entries()) s += BigInt(byte) << BigInt(8 * at)
    for (let at = 0; at < 32; at++) signature[32 + at] = Number((s >> BigInt(8 * at)) & 0xffn)
    const token = rfc8037.token.slice(0, dot) + signature.toString('base64url')
    expectRefusal(() => verifyJws({ token, keys: importKey(rfc8037.public) }), 'signature_invalid')
  })
})

describe('RFC 9964 appendix A.1 (ML-DSA)', () => {
  it.each(rfc9964.vectors)('$alg has the thumbprint that is its kid', ({ alg, kid, pub }) => {
    expect(jwkThumbprint({ kty: 'AKP', alg, pub })).toBe(kid)
  })

  it.runIf(hasMlDsa).each(rfc9964.vectors)('$alg is verified with the key of the seed of zeros', (vector) => {
    const { alg, kid, payload, pub, token } = vector
    const priv = Buffer.alloc(32).toString('base64url')
    const key = importKey({ kty: 'AKP', alg, pub, priv })
    expect(key).toMatchObject({ alg, kid, use: 'private' })
    const { use: _, ...jwk } = exportJwk(key, { dangerouslyIncludePrivate: true })
    expect(jwk).toEqual({ kty: 'AKP', alg, kid, priv, pub })
    const keys = importKey({ kty: 'AKP', alg, pub })
    expect(text(verifyJws({ token, keys, maxLength: 10_000 }))).toBe(payload)
    expectRefusal(() => verifyJws({ token: spoiled(token), keys }), 'signature_invalid')
    expect(text(verifyJws({ token: signJws({ payload, key }), keys }))).toBe(payload)
  })

  it.runIf(!hasMlDsa).each(rfc9964.vectors)(
    '$alg is clearly refused where Node does not have it',
    (vector) => {
      const { alg, pub, token } = vector
      expectRefusal(() => importKey({ kty: 'AKP', alg, pub }), 'unsupported_algorithm')
      expectRefusal(() => importKey('', { alg }), 'unsupported_algorithm')
      expectRefusal(() => generateKey(alg), 'unsupported_algorithm')
      expectRefusal(() => verifyJws({ token, keys: generateKey('ES256') }), 'unsupported_algorithm')
      expect(createJwkSet({ keys: [{ kty: 'AKP', alg, pub }] }).keys).toEqual([])
    },
  )
})
