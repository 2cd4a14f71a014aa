import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { borrowBase64url } from '../base64url.ts'
import type { AlgorithmFamily } from './facts.ts'
import { asciiBytes } from './signing-input.ts'

const SIGNATURE_BYTES = 64

/** Ed25519 (RFC 8037 §3.1, RFC 9864 §2.2). */
export function ed25519(): AlgorithmFamily {
  return {
    kty: 'OKP',
    impliedByKey: true,
    generate: () => generateKeyPairSync('ed25519').privateKey,
    misfit: (key) => (key.asymmetricKeyType === 'ed25519' ? undefined : 'needs an Ed25519 key'),
    signer: (key) => (signingInput) => sign(null, asciiBytes(signingInput), key).toString('base64url'),
    verifier: (key) => (token, dot) => {
      const signature = borrowBase64url(token.slice(dot + 1))
      return signature?.length === SIGNATURE_BYTES && verify(null, asciiBytes(token, dot), key, signature)
    },
  }
}
