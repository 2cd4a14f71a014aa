import { ecdsa } from './algorithms/ecdsa.ts'
import { ed25519 } from './algorithms/eddsa.ts'
import type { AlgorithmFamily } from './algorithms/facts.ts'
import { hmac } from './algorithms/hmac.ts'
import { hasMlDsa, mlDsa } from './algorithms/mldsa.ts'
import { rsaPkcs1, rsaPss } from './algorithms/rsa.ts'

/**
 * The signature algorithms (RFC 7518 §3.1, RFC 9864, RFC 9964). `EdDSA` is the old, ambiguous name of `Ed25519`: tokens and
 * keys that carry it are verified, nothing is signed with it. `ML-DSA-…` is there where node:crypto has it, from Node 24 on;
 * elsewhere it is refused with `unsupported_algorithm`. There is no `none`.
 */
export type Algorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'Ed25519'
  | 'EdDSA'
  | 'ML-DSA-44'
  | 'ML-DSA-65'
  | 'ML-DSA-87'

/** Everything that distinguishes one algorithm from another. Nothing outside this table looks at their names. */
export interface AlgorithmFacts extends AlgorithmFamily {
  readonly alg: Algorithm
  /** The values of the `alg` header that a key of this algorithm verifies. */
  readonly accepts: readonly Algorithm[]
  /** False for a name that is only accepted. */
  readonly signs: boolean
}

const ALL: readonly AlgorithmFacts[] = [
  row('HS256', hmac({ hash: 'sha256', bytes: 32, block: 64 })),
  row('HS384', hmac({ hash: 'sha384', bytes: 48, block: 128 })),
  row('HS512', hmac({ hash: 'sha512', bytes: 64, block: 128 })),
  row('RS256', rsaPkcs1({ hash: 'sha256' })),
  row('RS384', rsaPkcs1({ hash: 'sha384' })),
  row('RS512', rsaPkcs1({ hash: 'sha512' })),
  row('PS256', rsaPss({ hash: 'sha256', saltLength: 32 })),
  row('PS384', rsaPss({ hash: 'sha384', saltLength: 48 })),
  row('PS512', rsaPss({ hash: 'sha512', saltLength: 64 })),
  row('ES256', ecdsa({ hash: 'sha256', curve: 'prime256v1', bytes: 32 })),
  row('ES384', ecdsa({ hash: 'sha384', curve: 'secp384r1', bytes: 48 })),
  row('ES512', ecdsa({ hash: 'sha512', curve: 'secp521r1', bytes: 66 })),
  row('Ed25519', ed25519(), { accepts: ['Ed25519', 'EdDSA'] }),
  row('EdDSA', ed25519(), { accepts: ['EdDSA', 'Ed25519'], signs: false, impliedByKey: false }),
  row('ML-DSA-44', mlDsa({ set: 44, oid: 0x11, bytes: 2420 })),
  row('ML-DSA-65', mlDsa({ set: 65, oid: 0x12, bytes: 3309 })),
  row('ML-DSA-87', mlDsa({ set: 87, oid: 0x13, bytes: 4627 })),
]

const TABLE = ALL.filter(({ kty }) => kty !== 'AKP' || hasMlDsa)

const BY_NAME: ReadonlyMap<unknown, AlgorithmFacts> = new Map(TABLE.map((facts) => [facts.alg, facts]))

/** The row of an algorithm, or undefined for a name that is not in the table. */
export function algorithmNamed(alg: unknown): AlgorithmFacts | undefined {
  return BY_NAME.get(alg)
}

export function algorithms(): readonly AlgorithmFacts[] {
  return TABLE
}

function row(alg: Algorithm, family: AlgorithmFamily, own?: Partial<AlgorithmFacts>): AlgorithmFacts {
  return { ...family, alg, accepts: [alg], signs: true, ...own }
}
