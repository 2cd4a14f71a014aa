import {
  constants,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  type JsonWebKey,
  pbkdf2Sync,
  privateDecrypt,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import { exportJwk, generateKey, importKey, type Jwk, verifyJws, verifyJwt } from '@mapae/jwt'
import { decryptJwt, generateEncryptionKey, importEncryptionKey } from '@mapae/jwt/jwe'
import { describe, expect, it } from 'vitest'
import { encryptDirectly, expectRefusal, expectRejection } from './support.ts'

// Nested and encrypted examples of the RFCs whose outer algorithms are refused here. What is under them is made visible with
// node:crypto alone, so that the values are known to be those of the RFC, and goes through the package as far as it can.

function load<Vectors>(name: string): Vectors {
  return JSON.parse(readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), 'utf8'))
}

/** The header and the four segments of bytes of a compact JWE. */
function partsOf(token: string) {
  const [first = '', ...others] = token.split('.')
  const [encryptedKey, iv, ciphertext, tag] = others.map((text) => Buffer.from(text, 'base64url'))
  if (!encryptedKey || !iv || !ciphertext || !tag) throw new Error('not five segments')
  const header: Record<string, unknown> = JSON.parse(Buffer.from(first, 'base64url').toString())
  return { first, header, encryptedKey, iv, ciphertext, tag }
}

describe('RFC 7520 §6, signed and then encrypted', () => {
  const { encrypted, nested } = load<{
    encrypted: { section: string; jwk: Jwk }[]
    nested: { jwk: Jwk; payload: string; signed: string; token: string }
  }>('rfc7520')
  const { payload, signed, token } = nested
  const recipient: Jwk | undefined = encrypted.find(({ section }) => section === '5.2')?.jwk
  const keys = importKey(exportJwk(importKey(nested.jwk, { alg: 'PS256' })))
  const policy = {
    issuer: 'hobbiton.example',
    typ: 'JWT',
    dangerouslyAcceptAnyAudience: true,
    clock: () => 1_300_819_379_000,
  } as const

  it('verifies what is inside (PS256), one second before it expires', () => {
    expect(Buffer.from(verifyJws({ token: signed, keys })).toString()).toBe(payload)
    expect(verifyJwt({ token: signed, keys, ...policy }).claims).toEqual(JSON.parse(payload))
    expectRefusal(() => verifyJwt({ token: signed, keys, ...policy, clock: Date.now }), 'token_expired')
  })

  it('has that very token inside, by node:crypto', () => {
    const { first, header, encryptedKey, iv, ciphertext, tag } = partsOf(token)
    expect(header).toEqual({ alg: 'RSA-OAEP', cty: 'JWT', enc: 'A128GCM' })
    const privateKey = createPrivateKey({ key: recipient as JsonWebKey, format: 'jwk' })
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }
    const cek = privateDecrypt({ key: privateKey, ...padding }, encryptedKey)
    const decipher = createDecipheriv('aes-128-gcm', cek, iv).setAAD(Buffer.from(first)).setAuthTag(tag)
    expect(Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString()).toBe(signed)
  })

  it('is refused as a whole: RSA-OAEP is OAEP with SHA-1, and its key is one for nothing here', async () => {
    const jwk = { ...recipient, kty: 'RSA' }
    const decryptWith = importEncryptionKey({ ...jwk, alg: undefined }, { alg: 'RSA-OAEP-256' })
    await expectRejection(decryptJwt({ token, decryptWith, keys, ...policy }), 'unsupported_algorithm')
    expectRefusal(() => importEncryptionKey(jwk), 'unsupported_algorithm')
    expectRefusal(() => importEncryptionKey(jwk, { alg: 'RSA-OAEP-256' }), 'key_invalid', /another algorithm/)
    expectRefusal(() => verifyJwt({ token, keys, ...policy }), 'token_malformed')
  })

  it('comes out of an encryption that is not refused', async () => {
    const decryptWith = generateEncryptionKey('dir')
    const header = { alg: 'dir', enc: 'A256GCM', cty: 'JWT' }
    const again = encryptDirectly(header, signed, decryptWith.keyObject.export())
    const { claims } = await decryptJwt({ token: again, decryptWith, keys, ...policy })
    expect(claims).toEqual(JSON.parse(payload))
  })
})

describe('RFC 7517 appendix C, a key encrypted with a password', () => {
  const { encrypted, rsaPrivate } = load<{
    encrypted: { password: string; token: string }
    rsaPrivate: Jwk
  }>('rfc7517')
  const { password, token } = encrypted

  it('holds the key of C.1, by node:crypto, and that key is taken for what it is', () => {
    const { first, header, encryptedKey, iv, ciphertext, tag } = partsOf(token)
    const { alg, enc, p2c, p2s } = header
    expect([alg, enc]).toEqual(['PBES2-HS256+A128KW', 'A128CBC-HS256'])
    const salt = Buffer.concat([Buffer.from(`${alg}\0`), Buffer.from(String(p2s), 'base64url')])
    const wrapping = pbkdf2Sync(password, salt, Number(p2c), 16, 'sha256')
    const unwrap = createDecipheriv('id-aes128-wrap', wrapping, Buffer.alloc(8, 0xa6))
    const cek = Buffer.concat([unwrap.update(encryptedKey), unwrap.final()])
    const bits = Buffer.alloc(8)
    bits.writeBigUInt64BE(BigInt(8 * first.length))
    const mac = createHmac('sha256', cek.subarray(0, 16)).update(first).update(iv).update(ciphertext)
    expect(mac.update(bits).digest().subarray(0, 16)).toEqual(tag)
    const decipher = createDecipheriv('aes-128-cbc', cek.subarray(16), iv)
    const jwk: Jwk = JSON.parse(Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString())
    expect(jwk).toEqual(rsaPrivate)
    expect(importEncryptionKey(jwk, { alg: 'RSA-OAEP-256' })).toMatchObject({ kid: jwk.kid, use: 'private' })
  })

  it('is refused before a key is derived from any password: it is no token, and no key', async () => {
    const keys = generateKey('ES256')
    const policy = { issuer: 'a', audience: 'a', typ: 'JWT' }
    for (const decryptWith of [generateEncryptionKey('A256KW'), generateEncryptionKey('dir')])
      await expectRejection(decryptJwt({ token, decryptWith, keys, ...policy }), 'unsupported_algorithm')
    expectRefusal(() => importKey(token), 'key_invalid', /PEM/)
    // @ts-expect-error an encryption key is a JWK or a KeyObject
    expectRefusal(() => importEncryptionKey(token, { alg: 'A256KW' }), 'key_invalid')
  })
})
