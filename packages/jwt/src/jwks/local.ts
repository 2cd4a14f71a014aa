import { type Algorithm, algorithmNamed } from '../algorithms.ts'
import { JwtError } from '../errors.ts'
import { isJsonObject } from '../json.ts'
import { exportJwk } from '../keys/export.ts'
import { importKey } from '../keys/import.ts'
import type { Jwk } from '../keys/jwk.ts'
import { isKey, type Key, powersOf } from '../keys/key.ts'
import type { KeyQuery, KeySet } from './set.ts'

/** Keys at hand, as a set that never changes. */
export interface JwkSet extends KeySet {
  readonly keys: readonly Key[]
  /** The public JWK Set (RFC 7517 §5): public members only, secrets left out. */
  toJSON(): { keys: Jwk[] }
}

export interface CreateJwkSetOptions {
  /** The algorithm of RSA keys in a JSON JWK Set that do not name one. @default 'RS256' */
  readonly rsaAlg?: Algorithm | undefined
}

/**
 * Makes a key set of keys or of a JWK Set (RFC 7517 §5) as JSON. Of JSON, keys that are of no use here (unknown type or
 * algorithm, `use: "enc"`, too weak) are skipped, as the RFC asks.
 *
 * Throws `jwks_invalid` for what is not a JWK Set, and for two keys with the same `kid` that accept the same algorithm.
 */
export function createJwkSet(
  source: { readonly keys: readonly Jwk[] } | readonly Key[],
  options: CreateJwkSetOptions = {},
): JwkSet {
  const keys = Object.freeze(isKeyList(source) ? [...source] : importAll(source, options.rsaAlg ?? 'RS256'))
  const index = indexKeys(keys)
  return Object.freeze({
    keys,
    find: ({ alg, kid }: KeyQuery) => {
      const candidates = index.get(alg)
      if (kid !== undefined) return candidates?.get(kid)
      return candidates?.size === 1 ? candidates.values().next().value : undefined
    },
    toJSON: () => ({ keys: keys.filter((key) => key.use !== 'secret').map((key) => exportJwk(key)) }),
  })
}

function isKeyList(source: unknown): source is readonly Key[] {
  return Array.isArray(source) && source.every(isKey)
}

function importAll(source: unknown, rsaAlg: Algorithm): Key[] {
  if (!algorithmNamed(rsaAlg)) {
    throw new JwtError({ code: 'options_invalid', description: 'rsaAlg is not an algorithm.' })
  }
  if (!isJsonObject(source) || !Array.isArray(source['keys'])) {
    throw new JwtError({ code: 'jwks_invalid', description: 'A JWK Set is an object with a list of keys.' })
  }
  return source['keys'].flatMap((jwk: unknown) => importOrSkip(jwk, rsaAlg))
}

function importOrSkip(jwk: unknown, rsaAlg: Algorithm): Key[] {
  if (!isJwk(jwk)) return []
  const alg = jwk.kty === 'RSA' && jwk.alg === undefined ? rsaAlg : undefined
  try {
    return [importKey(jwk, { alg })]
  } catch (error) {
    if (error instanceof JwtError) return []
    throw error
  }
}

function isJwk(value: unknown): value is Jwk {
  return isJsonObject(value) && typeof value['kty'] === 'string'
}

/** Header algorithm, then `kid`, to key. */
function indexKeys(keys: readonly Key[]): ReadonlyMap<string, ReadonlyMap<string, Key>> {
  const index = new Map<string, Map<string, Key>>()
  for (const key of keys) {
    for (const alg of powersOf(key).facts.accepts) {
      const candidates = index.get(alg) ?? new Map<string, Key>()
      index.set(alg, candidates)
      if (candidates.has(key.kid)) {
        throw new JwtError({ code: 'jwks_invalid', description: 'Two keys have the same kid and algorithm.' })
      }
      candidates.set(key.kid, key)
    }
  }
  return index
}
