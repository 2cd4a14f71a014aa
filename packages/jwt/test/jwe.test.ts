import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { exportJwk, generateKey, JwtError, signJwt, toPublicKey, verifyJwt } from '@mapae/jwt'
import {
  decryptJwt,
  type EncryptionAlgorithm,
  type EncryptionKey,
  encryptJwt,
  generateEncryptionKey,
  importEncryptionKey,
  toPublicEncryptionKey,
} from '@mapae/jwt/jwe'
import { CompactEncrypt, compactDecrypt } from 'jose'
import { describe, expect, it } from 'vitest'
import { CLAIMS, clock, expectRefusal, expectRejection, POLICY, segment } from './support.ts'

const key = generateKey('ES256')
const verifying = { keys: toPublicKey(key), ...POLICY }
const ALGORITHMS: readonly EncryptionAlgorithm[] = ['dir', 'A256KW', 'ECDH-ES', 'RSA-OAEP-256']

describe.each(ALGORITHMS)('an encrypted token by %s', (alg) => {
  const own = generateEncryptionKey(alg)
  const to = own.use === 'secret' ? own : toPublicEncryptionKey(own)

  it('comes back verified, and hides its claims', async () => {
    const token = await encryptJwt({ claims: CLAIMS, key, clock, encryptTo: to })
    expect(token.split('.')).toHaveLength(5)
    expect(token).not.toContain(signJwt({ claims: CLAIMS, key }).split('.')[1])
    const { claims, header } = await decryptJwt({
      token,
      decryptWith: [generateEncryptionKey('dir'), own],
      ...verifying,
    })
    expect(claims).toEqual(CLAIMS)
    expect(header.alg).toBe('ES256')
  })

  it('is what jose makes and reads', async () => {
    const signed = signJwt({ claims: CLAIMS, key })
    const theirs = await new CompactEncrypt(Buffer.from(signed))
      .setProtectedHeader({ alg, enc: 'A256GCM', cty: 'JWT' })
      .encrypt(to.keyObject)
    expect((await decryptJwt({ token: theirs, decryptWith: own, ...verifying })).claims).toEqual(CLAIMS)
    const { plaintext } = await compactDecrypt(
      await encryptJwt({ claims: CLAIMS, key, encryptTo: to }),
      own.keyObject,
    )
    expect(Buffer.from(plaintext).toString().split('.')).toHaveLength(3)
  })

  it('is refused when one byte of it is changed, whichever it is', async () => {
    const token = await encryptJwt({ claims: CLAIMS, key, encryptTo: to })
    const segments = token.split('.').map((text) => Buffer.from(text, 'base64url'))
    for (const [which, bytes] of segments.entries()) {
      const step = Math.max(1, Math.floor(bytes.length / 40))
      for (let at = 0; at < bytes.length; at += step) {
        const changed = Buffer.from(bytes)
        changed[at] = Number(changed[at]) ^ (1 << (at % 8))
        const parts = segments.map((one, n) => (n === which ? changed : one).toString('base64url'))
        const outcome = await decryptJwt({ token: parts.join('.'), decryptWith: own, ...verifying }).then(
          () => 'accepted',
          (error: unknown) => error,
        )
        expect(outcome, `segment ${which}, byte ${at}`).toBeInstanceOf(JwtError)
      }
    }
  })

  it('is refused when any segment but the header is changed, and with another key', async () => {
    const token = await encryptJwt({ claims: CLAIMS, key, encryptTo: to })
    for (const at of [1, 2, 3, 4]) {
      const parts = token.split('.').map((text) => Buffer.from(text, 'base64url'))
      const part = parts[at]
      if (!part?.length) continue
      part[0] = Number(part[0]) ^ 1
      const changed = parts.map((one) => one.toString('base64url')).join('.')
      await expectRejection(
        decryptJwt({ token: changed, decryptWith: own, ...verifying }),
        'decryption_failed',
      )
    }
    const other = generateEncryptionKey(alg, { kid: own.kid })
    await expectRejection(decryptJwt({ token, decryptWith: other, ...verifying }), 'decryption_failed')
    await expectRejection(
      decryptJwt({ token, decryptWith: generateEncryptionKey(alg), ...verifying }),
      'key_not_found',
    )
  })
})

describe('decryptJwt refuses', () => {
  const secret = generateEncryptionKey('dir')
  const decrypt = (token: string) => decryptJwt({ token, decryptWith: secret, ...verifying })
  const headed = (header: object) =>
    `${segment({ alg: 'dir', enc: 'A256GCM', cty: 'JWT', ...header })}..AAAA.AAAA.AAAA`

  it('other forms, sizes and headers, before any cryptography', async () => {
    // @ts-expect-error
    await expectRejection(decrypt(undefined), 'token_malformed')
    await expectRejection(decrypt('a.b.c'), 'token_malformed')
    await expectRejection(decrypt('x'.repeat(16_385)), 'token_too_large')
    await expectRejection(decrypt(`${segment({ alg: 'dir' })}..AA=.AAAA.AAAA`), 'token_malformed')
    await expectRejection(decrypt(headed({ zip: 'DEF' })), 'token_malformed')
    await expectRejection(decrypt(headed({ crit: ['exp'], exp: 1 })), 'crit_unsupported')
    await expectRejection(
      decrypt(headed({ alg: 'PBES2-HS256+A128KW', p2c: 1e9, p2s: 'x' })),
      'unsupported_algorithm',
    )
    await expectRejection(decrypt(headed({ alg: 'RSA1_5' })), 'unsupported_algorithm')
    await expectRejection(decrypt(headed({ alg: 'toString' })), 'unsupported_algorithm')
    await expectRejection(decrypt(headed({ enc: 'A128CBC-HS256' })), 'algorithm_not_allowed')
    await expectRejection(decrypt(headed({ alg: 'A256KW' })), 'algorithm_not_allowed')
    await expectRejection(decrypt(headed({ cty: undefined })), 'type_mismatch')
    await expectRejection(decrypt(headed({ kid: 'x' })), 'key_not_found')
    const two = [secret, generateEncryptionKey('dir')]
    await expectRejection(decryptJwt({ token: headed({}), decryptWith: two, ...verifying }), 'key_not_found')
  })

  it('signed tokens, and a signed token’s verifier refuses encrypted ones', async () => {
    const signed = signJwt({ claims: CLAIMS, key })
    await expectRejection(decrypt(signed), 'token_malformed')
    const token = await encryptJwt({ claims: CLAIMS, key, encryptTo: secret })
    expectRefusal(() => verifyJwt({ token, ...verifying }), 'token_malformed')
    await expectRejection(decrypt(JSON.stringify({ ciphertext: token })), 'token_malformed')
  })

  it('a tag or an initialization vector of another length', async () => {
    const token = await encryptJwt({ claims: CLAIMS, key, clock, encryptTo: secret })
    expect((await decrypt(token)).claims).toEqual(CLAIMS)
    const [header, encryptedKey, iv = '', ciphertext, tag = ''] = token.split('.')
    const shorter = (text: string, bytes: number) =>
      Buffer.from(text, 'base64url').subarray(0, bytes).toString('base64url')
    for (const bytes of [0, 1, 4, 8, 12, 15]) {
      await expectRejection(
        decrypt([header, encryptedKey, iv, ciphertext, shorter(tag, bytes)].join('.')),
        'decryption_failed',
      )
    }
    for (const bytes of [0, 1, 8, 11]) {
      await expectRejection(
        decrypt([header, encryptedKey, shorter(iv, bytes), ciphertext, tag].join('.')),
        'decryption_failed',
      )
    }
    await expectRejection(decrypt([header, 'AAAA', iv, ciphertext, tag].join('.')), 'decryption_failed')
  })

  it('an ephemeral key that is not on the curve, of another curve, or of small order (RFC 8725 §3.4)', async () => {
    const pair = generateEncryptionKey('ECDH-ES')
    const montgomery = importEncryptionKey(generateKeyPairSync('x25519').privateKey, { alg: 'ECDH-ES' })
    const { x, y } = exportJwk(generateKey('ES256'))
    const other = exportJwk(generateKey('ES384'))
    const attempts: [EncryptionKey, object | undefined][] = [
      [pair, { kty: 'EC', crv: 'P-256', x, y: x }],
      [pair, { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }],
      [pair, { kty: 'EC', crv: 'P-384', x: other.x, y: other.y }],
      [pair, { kty: 'EC', crv: 'P-256', x }],
      [pair, { kty: 'oct', k: 'AAAA' }],
      [pair, undefined],
      [pair, { kty: 'OKP', crv: 'X25519', x: Buffer.alloc(32, 9).toString('base64url') }],
      [montgomery, { kty: 'OKP', crv: 'X25519', x: Buffer.alloc(32).toString('base64url') }],
      [
        montgomery,
        { kty: 'OKP', crv: 'X25519', x: Buffer.from([1, ...Buffer.alloc(31)]).toString('base64url') },
      ],
      [montgomery, { kty: 'EC', crv: 'P-256', x, y }],
    ]
    for (const [decryptWith, epk] of attempts) {
      const token = `${segment({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', epk })}..${'A'.repeat(16)}.AAAA.${'A'.repeat(21)}A`
      await expectRejection(decryptJwt({ token, decryptWith, ...verifying }), 'decryption_failed')
    }
  })

  it('a public key, a key made elsewhere, and what is not signed inside', async () => {
    const pair = generateEncryptionKey('ECDH-ES')
    const token = await encryptJwt({ claims: CLAIMS, key, encryptTo: pair })
    await expectRejection(
      decryptJwt({ token, decryptWith: toPublicEncryptionKey(pair), ...verifying }),
      'key_invalid',
    )
    await expectRejection(decryptJwt({ token, decryptWith: { ...pair }, ...verifying }), 'key_invalid')
    await expectRejection(encryptJwt({ claims: CLAIMS, key, encryptTo: { ...pair } }), 'key_invalid')
    const bare = await new CompactEncrypt(Buffer.from('{"sub":"x"}'))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', cty: 'JWT' })
      .encrypt(secret.keyObject)
    await expectRejection(decrypt(bare), 'token_malformed')
    const forged = await encryptJwt({
      claims: CLAIMS,
      key: generateKey('ES256', { kid: key.kid }),
      encryptTo: secret,
    })
    await expectRejection(decrypt(forged), 'signature_invalid')
  })
})

describe('encryption keys', () => {
  it('come from JWKs and KeyObjects and keep to one algorithm', () => {
    const pair = generateEncryptionKey('RSA-OAEP-256', { kid: 'a' })
    expect(pair.kid).toBe('a')
    const jwk = { ...exportJwk(generateKey('RS256')), alg: 'RSA-OAEP-256', use: 'enc' }
    expect(importEncryptionKey(jwk)).toMatchObject({ alg: 'RSA-OAEP-256', use: 'public', kid: jwk.kid })
    expect(importEncryptionKey(generateKeyPairSync('x25519').publicKey, { alg: 'ECDH-ES' }).use).toBe(
      'public',
    )
    const publicKey = toPublicEncryptionKey(pair)
    expect(toPublicEncryptionKey(publicKey)).toBe(publicKey)
    expectRefusal(() => importEncryptionKey({ ...jwk, use: 'sig' }), 'key_invalid')
    expectRefusal(() => importEncryptionKey(jwk, { alg: 'dir' }), 'key_invalid')
    expectRefusal(() => importEncryptionKey({ ...jwk, key_ops: ['sign'] }), 'key_invalid', /key_ops/)
    // @ts-expect-error
    expectRefusal(() => importEncryptionKey({ ...jwk, key_ops: 'wrapKey' }), 'key_invalid', /key_ops/)
    expect(importEncryptionKey({ ...jwk, key_ops: ['wrapKey'] }).use).toBe('public')
    expectRefusal(() => importEncryptionKey({ ...jwk, kid: '' }), 'key_invalid', /kid/)
    // @ts-expect-error
    expectRefusal(() => importEncryptionKey({ ...jwk, kid: 5 }), 'key_invalid', /kid/)
    for (const wrong of [null, undefined, 'x', []] as never[])
      expectRefusal(() => importEncryptionKey(wrong), 'key_invalid')
    const three = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).publicKey
    expectRefusal(() => importEncryptionKey(three, { alg: 'RSA-OAEP-256' }), 'key_invalid', /fit/)
    expectRefusal(() => importEncryptionKey(pair.keyObject), 'unsupported_algorithm')
    expectRefusal(() => importEncryptionKey(pair.keyObject, { alg: 'ECDH-ES' }), 'key_invalid')
    expectRefusal(() => toPublicEncryptionKey(generateEncryptionKey('dir')), 'key_invalid')
    // @ts-expect-error
    expectRefusal(() => generateEncryptionKey('RSA1_5'), 'unsupported_algorithm')
  })

  it('are the only part of the package that loads jose', () => {
    const index = readFileSync(new URL('../src/index.ts', import.meta.url), 'utf8')
    expect(index).not.toMatch(/jwe/)
  })
})
