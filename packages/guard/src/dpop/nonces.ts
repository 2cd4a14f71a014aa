import { createHmac, timingSafeEqual } from 'node:crypto'
import { GuardError } from '../guard-error.ts'

/** Nonces for proofs (RFC 9449 §8, §9): they tell when a proof was made, whatever the clock of its maker says. */
export interface DpopNonces {
  /** The nonce to hand out now: unpredictable, the same for everybody, any number of times. */
  current(): string
  /** Until when a nonce is good, in milliseconds, or undefined when it is too old or not ours. */
  acceptedUntil(nonce: string): number | undefined
}

/** How long one nonce is handed out, in milliseconds. */
const period = 150_000

/**
 * Nonces that nobody has to store: an HMAC over the number of the 150 s that it was made in. Whoever has one of the keys
 * knows them, so replicas need share nothing else. The first key makes, all of them read. A nonce is taken in its own
 * period, in the next one and, from a replica whose clock is ahead, in the one before.
 *
 * @throws GuardError `options_invalid` for a key of fewer than 32 bytes, or none.
 */
export function createNonces(options: {
  readonly keys: readonly Uint8Array[]
  /** The time in milliseconds. @default Date.now */
  readonly clock?: (() => number) | undefined
}): DpopNonces {
  const { keys, clock = Date.now } = options
  const [newest] = keys
  if (!newest || keys.some((key) => key.length < 32))
    throw new GuardError('options_invalid', 'Nonces need a key of at least 32 bytes.')
  const now = () => Math.floor(clock() / period)
  return {
    current: () => nonceOf(newest, now()),
    acceptedUntil(nonce) {
      const made = numberIn(nonce)
      if (made === undefined || !(Math.abs(made - now()) <= 1)) return undefined
      return keys.some((key) => isEqual(nonceOf(key, made), nonce)) ? (made + 2) * period : undefined
    },
  }
}

function nonceOf(key: Uint8Array, number: number): string {
  const mac = createHmac('sha256', key).update(`dpop-nonce.${number}`).digest('base64url')
  return `${number.toString(36)}.${mac.slice(0, 22)}`
}

function numberIn(nonce: string): number | undefined {
  const number = /^([0-9a-z]{1,10})\.[A-Za-z0-9_-]{22}$/.exec(nonce)?.[1]
  return number === undefined ? undefined : Number.parseInt(number, 36)
}

function isEqual(one: string, other: string): boolean {
  const a = Buffer.from(one)
  const b = Buffer.from(other)
  return a.length === b.length && timingSafeEqual(a, b)
}
