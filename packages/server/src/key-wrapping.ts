import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { ServerSecret } from './server-secret.ts'

/** A key to encrypt with, and the name of the secret that it was made of. */
export type WrappingKey = Pick<ServerSecret, 'k' | 'wrappingKey'>

/** Encrypts (AES-256-GCM) under the newest secret; `context` must be given again to open it. */
export function wrap(secret: WrappingKey, plain: string, context: string): string {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', secret.wrappingKey, iv).setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return [secret.k, iv.toString('base64url'), sealed.toString('base64url')].join('.')
}

/** What was wrapped, or undefined when none of the secrets opens it. */
export function unwrap(
  secrets: readonly WrappingKey[],
  wrapped: string,
  context: string,
): string | undefined {
  const [k, iv, sealed] = wrapped.split('.')
  const secret = secrets.find((candidate) => candidate.k === k)
  if (!secret || !iv || !sealed) return undefined
  const bytes = Buffer.from(sealed, 'base64url')
  try {
    const decipher = createDecipheriv('aes-256-gcm', secret.wrappingKey, Buffer.from(iv, 'base64url'), {
      authTagLength: 16,
    })
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(-16))
    return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}
