/**
 * A JSON Web Key (RFC 7517): a public or private key, or a secret, as JSON. Other members are kept out of the way.
 */
export interface Jwk {
  readonly kty: string
  readonly kid?: string | undefined
  readonly alg?: string | undefined
  readonly use?: string | undefined
  readonly key_ops?: readonly string[] | undefined
  readonly crv?: string | undefined
  readonly x?: string | undefined
  readonly y?: string | undefined
  readonly n?: string | undefined
  readonly e?: string | undefined
  readonly d?: string | undefined
  readonly p?: string | undefined
  readonly q?: string | undefined
  readonly dp?: string | undefined
  readonly dq?: string | undefined
  readonly qi?: string | undefined
  readonly k?: string | undefined
  readonly pub?: string | undefined
  readonly priv?: string | undefined
  readonly [member: string]: unknown
}

/** The members that make up a key of each type (RFC 7518 §6, RFC 8037 §2, RFC 9964 §3), in lexicographic order (RFC 7638 §3.2). */
export interface KeyTypeMembers {
  readonly public: readonly JwkMember[]
  readonly private: readonly JwkMember[]
}

export type JwkMember =
  | 'alg'
  | 'crv'
  | 'd'
  | 'dp'
  | 'dq'
  | 'e'
  | 'k'
  | 'n'
  | 'p'
  | 'priv'
  | 'pub'
  | 'q'
  | 'qi'
  | 'x'
  | 'y'

export type KeyType = 'oct' | 'RSA' | 'EC' | 'OKP' | 'AKP'

export const KEY_TYPES: Readonly<Record<KeyType, KeyTypeMembers>> = {
  oct: { public: [], private: ['k'] },
  RSA: { public: ['e', 'n'], private: ['d', 'dp', 'dq', 'p', 'q', 'qi'] },
  EC: { public: ['crv', 'x', 'y'], private: ['d'] },
  OKP: { public: ['crv', 'x'], private: ['d'] },
  AKP: { public: ['alg', 'pub'], private: ['priv'] },
}

export function membersOf(kty: unknown): KeyTypeMembers | undefined {
  return Object.entries(KEY_TYPES).find(([name]) => name === kty)?.[1]
}
