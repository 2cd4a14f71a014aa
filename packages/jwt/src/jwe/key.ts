import { createPublicKey, generateKeyPairSync, generateKeySync, KeyObject } from 'node:crypto'
import { rsaMisfit } from '../algorithms/rsa.ts'
import { JwtError } from '../errors.ts'
import { isJsonObject } from '../json.ts'
import type { Jwk } from '../keys/jwk.ts'
import { keyObjectOfJwk } from '../keys/read.ts'
import { jwkOf, jwkThumbprint } from '../keys/thumbprint.ts'

/** The key management algorithms of encrypted tokens (RFC 7518 §4). The content is always encrypted with A256GCM. */
export type EncryptionAlgorithm = 'dir' | 'A256KW' | 'ECDH-ES' | 'RSA-OAEP-256'

/** A key with the one algorithm that it encrypts for. Frozen; made only by the functions of this file. */
export interface EncryptionKey {
  readonly alg: EncryptionAlgorithm
  readonly kid: string
  readonly use: 'secret' | 'private' | 'public'
  readonly keyObject: KeyObject
}

interface EncryptionFacts {
  readonly fits: (key: KeyObject) => boolean
  readonly generate: () => KeyObject
}

const secret: EncryptionFacts = {
  fits: (key) => key.type === 'secret' && key.symmetricKeySize === 32,
  generate: () => generateKeySync('aes', { length: 256 }),
}

const AGREEMENT_CURVES: readonly unknown[] = ['prime256v1', 'secp384r1', 'secp521r1']

const TABLE: Readonly<Record<EncryptionAlgorithm, EncryptionFacts>> = {
  dir: secret,
  A256KW: secret,
  'ECDH-ES': {
    fits: (key) =>
      AGREEMENT_CURVES.includes(key.asymmetricKeyDetails?.namedCurve) || key.asymmetricKeyType === 'x25519',
    generate: () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey,
  },
  'RSA-OAEP-256': {
    fits: (key) => rsaMisfit(key) === undefined,
    generate: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  },
}

const made = new WeakSet<object>()

/**
 * Makes an encryption key of a JWK or a KeyObject. `alg` is needed unless the JWK names it. Throws `key_invalid` when the key does not fit
 * (secrets: 32 bytes; RSA: as for signatures; ECDH-ES: P-256, P-384, P-521 or X25519) or is not for encryption (`use`, `key_ops`).
 */
export function importEncryptionKey(
  input: Jwk | KeyObject,
  options: { readonly alg?: EncryptionAlgorithm | undefined; readonly kid?: string | undefined } = {},
): EncryptionKey {
  const isKeyObject = input instanceof KeyObject
  if (!isKeyObject && !isJsonObject(input)) throw invalid('An encryption key must be a JWK or a KeyObject.')
  const jwk: Partial<Jwk> = isKeyObject ? {} : input
  const keyObject = isKeyObject ? input : keyObjectOfJwk(input)
  checkPurpose(jwk)
  const alg: unknown = options.alg ?? jwk.alg
  if (!isEncryptionAlgorithm(alg)) {
    throw new JwtError({
      code: 'unsupported_algorithm',
      description: 'Name a supported encryption algorithm with alg.',
    })
  }
  if (jwk.alg !== undefined && jwk.alg !== alg)
    throw invalid('The JWK names another algorithm than the one asked for.')
  if (!TABLE[alg].fits(keyObject)) throw invalid(`The key does not fit ${alg}.`)
  const kid: unknown = options.kid ?? jwk.kid ?? jwkThumbprint(jwkOf(keyObject))
  if (typeof kid !== 'string' || kid === '') throw invalid('A kid must be a string that is not empty.')
  return make({ alg, kid, keyObject })
}

const OPERATIONS: readonly unknown[] = [
  'encrypt',
  'decrypt',
  'wrapKey',
  'unwrapKey',
  'deriveKey',
  'deriveBits',
]

function checkPurpose({ use, key_ops }: Partial<Jwk>): void {
  if (use !== undefined && use !== 'enc') throw invalid('The JWK is not for encryption (use).')
  const operations: unknown = key_ops ?? OPERATIONS
  const isFor = Array.isArray(operations) && operations.some((one) => OPERATIONS.includes(one))
  if (!isFor) throw invalid('The JWK is not for encryption (key_ops).')
}

/** Makes a new private key or secret for an encryption algorithm. */
export function generateEncryptionKey(
  alg: EncryptionAlgorithm,
  options: { readonly kid?: string | undefined } = {},
): EncryptionKey {
  if (!isEncryptionAlgorithm(alg)) {
    throw new JwtError({
      code: 'unsupported_algorithm',
      description: 'No key can be made for this algorithm.',
    })
  }
  return importEncryptionKey(TABLE[alg].generate(), { alg, kid: options.kid })
}

/** The public key of a private one: to encrypt to. A secret is refused with `key_invalid`. */
export function toPublicEncryptionKey(key: EncryptionKey): EncryptionKey {
  if (checkEncryptionKey(key).use === 'secret') throw invalid('A secret has no public key.')
  if (key.use === 'public') return key
  return make({ alg: key.alg, kid: key.kid, keyObject: createPublicKey(key.keyObject) })
}

export function isEncryptionAlgorithm(alg: unknown): alg is EncryptionAlgorithm {
  return typeof alg === 'string' && Object.hasOwn(TABLE, alg)
}

/** The same key. Throws `key_invalid` for anything that was not made here. */
export function checkEncryptionKey(key: EncryptionKey): EncryptionKey {
  if (made.has(key)) return key
  throw invalid('An encryption key must come from importEncryptionKey or generateEncryptionKey.')
}

function make(key: { alg: EncryptionAlgorithm; kid: string; keyObject: KeyObject }): EncryptionKey {
  const whole: EncryptionKey = Object.freeze({ ...key, use: key.keyObject.type })
  made.add(whole)
  return whole
}

function invalid(description: string): JwtError {
  return new JwtError({ code: 'key_invalid', description })
}
