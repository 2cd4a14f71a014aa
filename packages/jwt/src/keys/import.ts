import { createPublicKey, KeyObject } from 'node:crypto'
import { type Algorithm, type AlgorithmFacts, algorithmNamed, algorithms } from '../algorithms.ts'
import { JwtError } from '../errors.ts'
import { isJsonObject } from '../json.ts'
import { isDisguisedKey } from './disguised.ts'
import type { Jwk } from './jwk.ts'
import { isKey, type Key, makeKey } from './key.ts'
import { keyObjectOfJwk, keyObjectOfPem } from './read.ts'
import { jwkOf, jwkThumbprint } from './thumbprint.ts'

export interface ImportKeyOptions {
  /** The one algorithm of the key. Needed unless the JWK names it or the key type leaves no choice (EC, Ed25519, ML-DSA). */
  readonly alg?: Algorithm | undefined
  /** @default the JWK's `kid`, else the RFC 7638 thumbprint */
  readonly kid?: string | undefined
}

/**
 * Makes a {@link Key} of a JWK (RFC 7517), of a PEM text (SPKI, PKCS #8, PKCS #1 or SEC 1) or of a KeyObject, and binds it
 * to one algorithm. A JWK's `use` and `key_ops` are honoured (RFC 7517 §4.2, §4.3).
 *
 * Refuses with `key_invalid`: a key that does not fit the algorithm, RSA under 2048 bits or with an exponent that is even
 * or under 65537, an Ed25519 key of small order, a secret shorter than the hash (RFC 7518 §3.2), a JWK whose members are not
 * canonical, a private part that belongs to another public part, and PEM as an HMAC secret: secrets come only as `kty: "oct"`
 * or from `createSecretKey`, and their bytes must not be a key of another kind.
 * An algorithm that does not exist here is `unsupported_algorithm`.
 */
export function importKey(input: Jwk | string | KeyObject, options: ImportKeyOptions = {}): Key {
  if (options.alg !== undefined) factsOf(options.alg)
  if (input instanceof KeyObject) return bind(input, options, {})
  if (typeof input === 'string') return bind(keyObjectOfPem(input), options, {})
  if (!isJsonObject(input) || isKey(input)) throw invalid('A key must be a JWK, a PEM text or a KeyObject.')
  if (input.alg !== undefined) factsOf(input.alg)
  return bind(keyObjectOfJwk(input), options, input)
}

function factsOf(alg: unknown): AlgorithmFacts {
  const facts = algorithmNamed(alg)
  if (facts) return facts
  throw new JwtError({ code: 'unsupported_algorithm', description: 'The algorithm is not supported here.' })
}

function bind(keyObject: KeyObject, options: ImportKeyOptions, jwk: Partial<Jwk>): Key {
  const facts = chooseAlgorithm(keyObject, options.alg, jwk.alg)
  const misfit = facts.misfit(keyObject)
  if (misfit) throw invalid(`${facts.alg} ${misfit}.`)
  if (keyObject.type === 'secret' && isDisguisedKey(keyObject.export()))
    throw invalid('The secret is a key of another kind, or a certificate, which others may know.')
  const may = permissions(jwk)
  const kid: unknown = options.kid ?? jwk.kid ?? jwkThumbprint(jwkOf(keyObject))
  if (typeof kid !== 'string' || kid === '') throw invalid('A kid must be a string that is not empty.')
  if (keyObject.type === 'private') checkPair(keyObject, facts)
  return makeKey({ kid, keyObject, facts }, may)
}

function chooseAlgorithm(
  keyObject: KeyObject,
  wanted: Algorithm | undefined,
  named: string | undefined,
): AlgorithmFacts {
  const alg =
    wanted ?? named ?? algorithms().find((facts) => facts.impliedByKey && !facts.misfit(keyObject))?.alg
  if (alg === undefined) throw invalid('The key does not say which algorithm it is for: name one with alg.')
  const facts = factsOf(alg)
  const agrees = named === undefined || facts.accepts.some((accepted) => accepted === named)
  if (!agrees) throw invalid('The JWK names another algorithm than the one asked for.')
  return facts
}

function permissions(jwk: Partial<Jwk>): { sign: boolean; verify: boolean } {
  if (jwk.use !== undefined && jwk.use !== 'sig') throw invalid('The JWK is not for signatures (use).')
  const operations: unknown = jwk.key_ops
  if (operations === undefined) return { sign: true, verify: true }
  if (!Array.isArray(operations)) throw invalid('The JWK member key_ops is not a list.')
  if (new Set(operations).size < operations.length) throw invalid('The JWK member key_ops names one twice.')
  const may = { sign: operations.includes('sign'), verify: operations.includes('verify') }
  if (!may.sign && !may.verify) throw invalid('The JWK is not for signatures (key_ops).')
  return may
}

/** A private key whose public part is another key's would sign tokens that nobody can verify. */
function checkPair(keyObject: KeyObject, facts: AlgorithmFacts): void {
  const probe = 'probe'
  try {
    const token = `${probe}.${facts.signer(keyObject)(probe)}`
    if (facts.verifier(createPublicKey(keyObject))(token, probe.length)) return
  } catch {}
  throw invalid('The private and the public part of the key do not belong together.')
}

function invalid(description: string): JwtError {
  return new JwtError({ code: 'key_invalid', description })
}
