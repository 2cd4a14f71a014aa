import type { KeyObject } from 'node:crypto'
import type { Algorithm, AlgorithmFacts } from '../algorithms.ts'
import { JwtError } from '../errors.ts'

/**
 * A key with the one algorithm that it is for (RFC 8725 §3.1). Frozen plain data, made only by `importKey` and
 * `generateKey`; an object of the same shape made elsewhere is refused.
 */
export interface Key {
  readonly alg: Algorithm
  /** The key's name in headers and key sets. @default its RFC 7638 thumbprint */
  readonly kid: string
  readonly use: 'secret' | 'private' | 'public'
  readonly keyObject: KeyObject
}

/** What a key can do, prepared once. A missing function is a thing that the key may not do. */
export interface KeyPowers {
  readonly facts: AlgorithmFacts
  readonly sign: ((signingInput: string) => string) | undefined
  readonly verify: ((token: string, dot: number) => boolean) | undefined
}

const powers = new WeakMap<object, KeyPowers>()

export function makeKey(
  key: { kid: string; keyObject: KeyObject; facts: AlgorithmFacts },
  may: { sign: boolean; verify: boolean },
): Key {
  const { facts, keyObject, kid } = key
  const made: Key = Object.freeze({ alg: facts.alg, kid, use: keyObject.type, keyObject })
  const signs = may.sign && facts.signs && keyObject.type !== 'public'
  powers.set(made, {
    facts,
    sign: signs ? facts.signer(keyObject) : undefined,
    verify: may.verify ? facts.verifier(keyObject) : undefined,
  })
  return made
}

export function isKey(value: unknown): value is Key {
  return typeof value === 'object' && value !== null && powers.has(value)
}

/** The powers of a key. Throws `key_invalid` for anything that this package did not make. */
export function powersOf(key: Key): KeyPowers {
  const found = powers.get(key)
  if (found) return found
  throw new JwtError({ code: 'key_invalid', description: 'A key must come from importKey or generateKey.' })
}
