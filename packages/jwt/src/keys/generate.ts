import { type Algorithm, algorithmNamed } from '../algorithms.ts'
import { JwtError } from '../errors.ts'
import { importKey } from './import.ts'
import type { Key } from './key.ts'

/**
 * Makes a new private key (a secret for HS*) for an algorithm: RSA of 2048 bits, secrets as long as the hash. Blocks
 * while it works (RSA: about 0.1 s). Throws `unsupported_algorithm`, also for `EdDSA` (generate `Ed25519` instead) and for ML-DSA
 * where node:crypto does not have it.
 */
export function generateKey(alg: Algorithm, options: { readonly kid?: string | undefined } = {}): Key {
  const facts = algorithmNamed(alg)
  if (!facts?.signs) {
    throw new JwtError({
      code: 'unsupported_algorithm',
      description: 'No key can be made for this algorithm here.',
    })
  }
  return importKey(facts.generate(), { alg, kid: options.kid })
}
