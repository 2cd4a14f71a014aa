import { createCipheriv, randomBytes } from 'node:crypto'
import { type Algorithm, JwtError, type JwtErrorCode } from '@mapae/jwt'
import { expect } from 'vitest'

/** Whether this Node has ML-DSA, found out in another way than the package does. */
export const hasMlDsa = Number(process.versions.node.split('.')[0]) >= 24

const ML_DSA = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const

/** All that sign in this Node. */
export const ALGORITHMS: readonly Algorithm[] = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'Ed25519',
  ...(hasMlDsa ? ML_DSA : []),
]

/** 2026-01-01T00:00:00Z, in seconds. */
export const NOW = 1_767_225_600
export const clock = (): number => NOW * 1000

export const CLAIMS = { iss: 'https://issuer.example', aud: 'api', sub: 'u1', iat: NOW, exp: NOW + 300 }
export const POLICY = { issuer: 'https://issuer.example', audience: 'api', typ: 'JWT', clock } as const

/** The JwtError that the function throws; fails when it throws none or another. */
export function refusalOf(act: () => unknown): JwtError {
  try {
    act()
  } catch (error) {
    if (error instanceof JwtError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

export function expectRefusal(act: () => unknown, code: JwtErrorCode, description?: RegExp): void {
  const error = refusalOf(act)
  expect(error.code, error.description).toBe(code)
  if (description) expect(error.description).toMatch(description)
}

export async function expectRejection(promise: Promise<unknown>, code: JwtErrorCode): Promise<JwtError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof JwtError)) throw error ?? new Error('nothing was refused')
  expect(error.code, error.description).toBe(code)
  return error
}

export function segment(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return Buffer.from(text).toString('base64url')
}

/** A compact JWE over the text with this very content encryption key, by node:crypto alone. */
export function encryptDirectly(header: object, text: string, cek: Buffer): string {
  const protectedHeader = segment(header)
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', cek, iv).setAAD(Buffer.from(protectedHeader))
  const ciphertext = Buffer.concat([cipher.update(text), cipher.final()])
  const parts = [iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'))
  return [protectedHeader, '', ...parts].join('.')
}
