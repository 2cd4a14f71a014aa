import { createPrivateKey } from 'node:crypto'
import {
  createJwkSet,
  exportJwk,
  generateKey,
  importKey,
  jwkThumbprint,
  signJwt,
  toPublicKey,
} from '@mapae/jwt'
import { describe, expect, it } from 'vitest'
import { CLAIMS, expectRefusal, hasMlDsa } from './support.ts'

const WHOLE = { dangerouslyIncludePrivate: true }

describe.runIf(hasMlDsa)('keys for ML-DSA (RFC 9964)', () => {
  const sets = [
    ['ML-DSA-44', 1312],
    ['ML-DSA-65', 1952],
    ['ML-DSA-87', 2592],
  ] as const

  it.each(sets)('%s: a seed of 32 bytes, and a public key of %i', (alg, bytes) => {
    const key = generateKey(alg)
    const { priv, pub, ...others } = exportJwk(key, WHOLE)
    expect(others).toEqual({ kty: 'AKP', alg, kid: jwkThumbprint(key), use: 'sig' })
    expect(Buffer.from(String(priv), 'base64url')).toHaveLength(32)
    expect(Buffer.from(String(pub), 'base64url')).toHaveLength(bytes)
    expect(exportJwk(key)).toEqual({ ...others, pub })
    expect(generateKey(alg).kid).not.toBe(key.kid)
    for (const type of ['pkcs8', 'spki'] as const) {
      const source = type === 'spki' ? toPublicKey(key) : key
      const pem = source.keyObject.export({ type, format: 'pem' } as never).toString()
      expect(importKey(pem)).toMatchObject({ alg, kid: key.kid, use: source.use })
    }
    expect(createJwkSet({ keys: [exportJwk(key)] }).find({ alg, kid: key.kid })?.use).toBe('public')
  })

  it('are for the one algorithm that they name', () => {
    const key = generateKey('ML-DSA-44')
    const jwk = exportJwk(key, WHOLE)
    const refuses = (wrong: object, message: RegExp, options = {}) =>
      expectRefusal(() => importKey({ ...jwk, ...wrong }, options), 'key_invalid', message)
    refuses({}, /another algorithm/, { alg: 'ML-DSA-65' })
    refuses({ alg: 'ML-DSA-65' }, /canonical/)
    refuses({ alg: 'ES256' }, /out of range|another/)
    refuses({ alg: undefined }, /no member alg/)
    refuses({ pub: undefined }, /no member pub/)
    refuses({ pub: exportJwk(generateKey('ML-DSA-44')).pub }, /canonical|belong together/)
    refuses({ priv: 'AAAA' }, /out of range/)
    refuses({ priv: `${jwk.priv}=` }, /canonical|out of range/)
    refuses({ priv: Buffer.alloc(64).toString('base64url') }, /out of range/)
    expectRefusal(() => importKey(key.keyObject, { alg: 'ML-DSA-87' }), 'key_invalid', /ML-DSA-87 key/)
    expectRefusal(() => importKey(key.keyObject, { alg: 'Ed25519' }), 'key_invalid')
    expectRefusal(() => importKey(generateKey('ES256').keyObject, { alg: 'ML-DSA-44' }), 'key_invalid')
  })

  it('need their seed, which is all that a JWK can hold', () => {
    expectRefusal(() => importKey(withoutSeed()), 'key_invalid', /does not say/)
    expectRefusal(() => importKey(withoutSeed(), { alg: 'ML-DSA-44' }), 'key_invalid', /seed/)
  })

  it('make tokens that fit into what is read by default', () => {
    for (const [alg] of sets)
      expect(signJwt({ claims: CLAIMS, key: generateKey(alg) }).length).toBeLessThan(8192)
  })

  /** PrivateKeyInfo with the expanded key alone (RFC 9881 section 6), cut out of one that has both. */
  function withoutSeed() {
    const both = generateKey('ML-DSA-44').keyObject.export({ type: 'pkcs8', format: 'der' })
    const expanded = both.subarray(both.indexOf(Buffer.from('04820a00', 'hex')))
    const algorithm = Buffer.from('020100300b0609608648016503040311', 'hex')
    const key = sized(0x30, Buffer.concat([algorithm, sized(0x04, expanded)]))
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  }

  function sized(tag: number, body: Buffer): Buffer {
    return Buffer.concat([Buffer.from([tag, 0x82, body.length >> 8, body.length & 0xff]), body])
  }
})
