import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { ServerSecret } from './server-secret.ts'

/** What a refresh token says of itself; nothing of it is believed before {@link isAuthentic}. */
export interface PresentedRefreshToken {
  readonly token: string
  readonly k: string
  readonly sid: string
  readonly generation: number
  readonly secret: string
}

const SHAPE = /^mrt_([A-Za-z0-9_-]{6})\.([A-Za-z0-9_-]{26})\.([1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})$/

/**
 * `mrt_<k>.<sid>.<generation>.<secret>`, where the secret is an HMAC of the other parts and the session's
 * salt. So every token ever issued is recognised without being stored, and the same one can be made again
 * for a retry; forging one takes the server secret and the database.
 */
export function makeRefreshToken(
  { k, refreshKey }: ServerSecret,
  { sid, generation, salt }: { sid: string; generation: number; salt: string },
): string {
  const secret = createHmac('sha256', refreshKey).update(`${sid}.${generation}.${salt}`).digest('base64url')
  return `mrt_${k}.${sid}.${generation}.${secret}`
}

/** The parts, or undefined when it cannot be one of ours. */
export function parseRefreshToken(token: string): PresentedRefreshToken | undefined {
  const [, k, sid, generation, secret] = SHAPE.exec(token) ?? []
  if (!k || !sid || !generation || !secret) return undefined
  return { token, k, sid, generation: Number(generation), secret }
}

/** Whether this server made the token for this session, at whatever generation. Constant time. */
export function isAuthentic(
  secrets: readonly ServerSecret[],
  presented: PresentedRefreshToken,
  salt: string,
): boolean {
  const maker = secrets.find((secret) => secret.k === presented.k)
  if (!maker) return false
  const { sid, generation } = presented
  return equal(makeRefreshToken(maker, { sid, generation, salt }), presented.token)
}

/** The token that a row's hash stands for, made again; undefined when none of our secrets made it. */
export function remakeRefreshToken(
  secrets: readonly ServerSecret[],
  session: {
    readonly id: string
    readonly generation: number
    readonly salt: string
    readonly refreshHash: string
  },
): string | undefined {
  return secrets
    .map((secret) =>
      makeRefreshToken(secret, { sid: session.id, generation: session.generation, salt: session.salt }),
    )
    .find((token) => equal(hashSecret(token), session.refreshHash))
}

/** How a token or an attempt id is kept: SHA-256, base64url. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url')
}

/** Compares in constant time; the length alone is not secret. */
export function equal(one: string, other: string): boolean {
  const a = Buffer.from(one)
  const b = Buffer.from(other)
  return a.length === b.length && timingSafeEqual(a, b)
}
