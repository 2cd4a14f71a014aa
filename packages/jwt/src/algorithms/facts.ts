import type { KeyObject } from 'node:crypto'
import type { KeyType } from '../keys/jwk.ts'

/** What an algorithm needs of node:crypto. Each family (HMAC, RSA, ECDSA, EdDSA) makes these from its parameters. */
export interface AlgorithmFamily {
  readonly kty: KeyType
  /** True when a key of the type that fits can have no other algorithm, so that it need not be named. */
  readonly impliedByKey: boolean
  generate(): KeyObject
  /** Why this key cannot be used with the algorithm, or undefined when it can. */
  misfit(key: KeyObject): string | undefined
  /** Prepares the key once; the function signs an ASCII signing input and gives the signature in base64url. */
  signer(key: KeyObject): (signingInput: string) => string
  /** Prepares the key once; the function checks a compact JWS whose last dot is at `dot`. */
  verifier(key: KeyObject): (token: string, dot: number) => boolean
}
