import {
  createJwkSet,
  createRemoteJwkSet,
  generateKey,
  importKey,
  JwtError,
  type JwtErrorCode,
  signJws,
  signJwt,
  verifyJwt,
} from '@mapae/jwt'
import { refuseSensitiveClaims } from '@mapae/jwt/explain'
import { decryptJwt, encryptJwt, generateEncryptionKey } from '@mapae/jwt/jwe'
import { expect, it } from 'vitest'
import { CLAIMS, clock, NOW, POLICY, segment } from './support.ts'

const key = generateKey('HS256')
const secret = generateEncryptionKey('dir')
const token = (claims: object = {}, options = {}) =>
  signJwt({ claims: { ...CLAIMS, ...claims }, key, clock, ...options })
const verify = (presented: string, options = {}) =>
  verifyJwt({ token: presented, keys: key, ...POLICY, ...options })
const headed = (header: object) =>
  `${segment({ typ: 'JWT', kid: key.kid, ...header })}.${segment(CLAIMS)}.AAAA`

/** One way to each code. The type demands that none is left out, and that none is named which is gone. */
const PROVOKED: Readonly<Record<JwtErrorCode, () => unknown>> = {
  token_malformed: () => verify('not a token'),
  token_too_large: () => verify(token(), { maxLength: 10 }),
  token_expired: () => verify(token({ exp: NOW })),
  token_not_yet_valid: () => verify(token({ nbf: NOW + 60 })),
  algorithm_not_allowed: () => verify(headed({ alg: 'RS256' })),
  unsupported_algorithm: () => verify(headed({ alg: 'none' })),
  signature_invalid: () => verify(headed({ alg: 'HS256' })),
  decryption_failed: async () =>
    decryptJwt({
      token: await encryptJwt({ claims: CLAIMS, key, encryptTo: secret }),
      decryptWith: generateEncryptionKey('dir', { kid: secret.kid }),
      keys: key,
      ...POLICY,
    }),
  crit_unsupported: () => verify(headed({ alg: 'HS256', exp: 1, crit: ['exp'] })),
  type_mismatch: () => verify(token({}, { typ: 'at+jwt' })),
  claim_missing: () => verify(token({ exp: undefined })),
  claim_invalid: () => verify(signJws({ payload: '{"exp":"soon"}', key, header: { typ: 'JWT' } })),
  claim_sensitive: () => refuseSensitiveClaims({ password: 'hunter2' }),
  issuer_mismatch: () => verify(token({ iss: 'elsewhere' })),
  audience_mismatch: () => verify(token({ aud: 'elsewhere' })),
  key_not_found: () => verify(token(), { keys: generateKey('HS256') }),
  key_invalid: () => importKey('-----BEGIN NOTHING-----'),
  jwks_unavailable: () =>
    createRemoteJwkSet('https://issuer.example/', {
      fetch: () => Promise.reject(new Error('down')),
    }).refresh(),
  jwks_invalid: () => createJwkSet({ keys: 'none' } as never),
  options_invalid: () => verify(token(), { audience: undefined }),
}

it.each(Object.entries(PROVOKED))(
  '%s is an answer that there is a way to, and tells no value',
  async (code, provoke) => {
    const thrown: unknown = await (async () => provoke())().catch((error: unknown) => error)
    if (!(thrown instanceof JwtError)) throw thrown ?? new Error('nothing was refused')
    expect([thrown.code, thrown.name]).toEqual([code, 'JwtError'])
    expect(thrown.message).toBe(thrown.description)
    expect(thrown.description).toMatch(/^[A-Z].*\.$/s)
    for (const value of ['hunter2', 'elsewhere', 'soon', String(NOW), key.kid]) {
      expect(thrown.description).not.toContain(value)
    }
  },
)
