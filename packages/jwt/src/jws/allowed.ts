import { type Algorithm, algorithmNamed, algorithms as allAlgorithms } from '../algorithms.ts'
import { JwtError } from '../errors.ts'
import { createJwkSet, type JwkSet } from '../jwks/local.ts'
import type { KeyQuery, KeySet, KeySource, RemoteJwkSet } from '../jwks/set.ts'
import { isKey, type Key, type KeyPowers, powersOf } from '../keys/key.ts'

/** A key that was chosen for a header, ready to verify. */
export interface ChosenKey {
  readonly key: Key
  readonly verify: NonNullable<KeyPowers['verify']>
}

export interface KeyChoice {
  (header: KeyQuery): ChosenKey
  /** The key alone, unchecked. */
  readonly find: (header: KeyQuery) => Key | undefined
}

/**
 * Prepares the choice of a key by a header, before any cryptography (RFC 8725 §3.1). Throws `unsupported_algorithm` for an `alg`
 * that does not exist, `none` among them, `algorithm_not_allowed` for one that no key of the set has or that the option
 * leaves out, `key_not_found`, and `key_invalid` for a key that may not verify.
 */
export function prepareKeyChoice(
  keys: KeySource | RemoteJwkSet,
  algorithms: readonly Algorithm[] | undefined,
): KeyChoice {
  const set = keySetOf(keys)
  const allowed: ReadonlySet<string> = allowedAlgorithms(set, algorithms)
  const choose = (header: KeyQuery): ChosenKey => {
    if (!allowed.has(header.alg)) throw refusal(header.alg)
    const key = set.find(header)
    if (!key)
      throw new JwtError({ code: 'key_not_found', description: 'No key has the kid and alg of the token.' })
    const { facts, verify } = powersOf(key)
    if (!facts.accepts.some((alg) => alg === header.alg)) throw refusal(header.alg)
    if (!verify) throw new JwtError({ code: 'key_invalid', description: 'The key may not verify (key_ops).' })
    return { key, verify }
  }
  return Object.assign(choose, { find: (header: KeyQuery) => set.find(header) })
}

function keySetOf(keys: KeySource | RemoteJwkSet): KeySet | RemoteJwkSet {
  if (isKey(keys)) return createJwkSet([keys])
  if (isList(keys)) return createJwkSet(keys)
  if (typeof keys?.find === 'function') return keys
  throw new JwtError({
    code: 'options_invalid',
    description: 'keys must be a key, a list of keys or a key set.',
  })
}

function isList(keys: KeySource | RemoteJwkSet): keys is readonly Key[] {
  return Array.isArray(keys)
}

function allowedAlgorithms(
  set: KeySet | RemoteJwkSet,
  algorithms: readonly Algorithm[] | undefined,
): ReadonlySet<string> {
  if (algorithms === undefined) return new Set(algorithmsOf(set))
  if (algorithms.length > 0 && algorithms.every(algorithmNamed)) return new Set(algorithms)
  throw new JwtError({
    code: 'options_invalid',
    description: 'algorithms must be a list of supported names.',
  })
}

/** A set at hand tells which algorithms its keys accept; a remote one never holds secrets; another may hold anything. */
function algorithmsOf(set: KeySet | RemoteJwkSet): readonly Algorithm[] {
  if (isJwkSet(set)) return set.keys.flatMap((key) => powersOf(key).facts.accepts)
  const isRemote = set.refresh !== undefined
  return allAlgorithms()
    .filter((facts) => !isRemote || facts.kty !== 'oct')
    .map((facts) => facts.alg)
}

function isJwkSet(set: KeySet | RemoteJwkSet): set is JwkSet {
  return 'keys' in set && Array.isArray(set.keys) && set.keys.every(isKey)
}

function refusal(alg: string): JwtError {
  if (algorithmNamed(alg)) {
    return new JwtError({
      code: 'algorithm_not_allowed',
      description: "The token's algorithm is not allowed here.",
    })
  }
  return new JwtError({
    code: 'unsupported_algorithm',
    description: "The token's algorithm is not supported.",
  })
}
