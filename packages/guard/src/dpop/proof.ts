import {
  type Algorithm,
  decodeUnverified,
  importKey,
  type Jwk,
  type JwtClaims,
  JwtError,
  jwkThumbprint,
  type Key,
  verifyJwt,
} from '@mapae/jwt'
import { proofAlgorithms } from './algorithms.ts'

/** A DPoP proof whose signature is right: what it says, and the thumbprint (RFC 7638) of the key that says so. */
export interface Proof {
  readonly type: 'proof'
  readonly jkt: string
  readonly jti: string
  /** Seconds since 1970, by the clock of the one who made it. */
  readonly iat: number
  readonly claims: JwtClaims
}

export type ReadProof = Proof | { readonly type: 'faulty'; readonly fault: string }

/**
 * Reads the `DPoP` field of a request by items 1 to 7 of RFC 9449 §4.3: one well-formed JWT with every required claim,
 * `typ` `dpop+jwt`, signed with an asymmetric algorithm of {@link proofAlgorithms} by the public key in its header,
 * which holds no private one. RSA keys are taken up to 4096 bits with the exponent 65537, since who sends a proof chooses
 * what its check costs. A `jti` has 1 to 256 characters.
 *
 * Whether the proof is for this request, and new, is not looked at. Never throws; no fault repeats what was sent.
 */
export function readProof(field: string | undefined): ReadProof {
  if (field === undefined) return faulty('A DPoP proof is needed, in the DPoP field.')
  if (field.includes(',')) return faulty('There must be one DPoP field, with one proof.')
  try {
    const { header } = decodeUnverified(field)
    const alg = proofAlgorithms.find((name) => name === header.alg)
    if (!alg) return faulty(`The proof must be signed with one of ${proofAlgorithms.join(', ')}.`)
    const key = embeddedKey({ jwk: header['jwk'], alg, kid: header.kid })
    if (typeof key === 'string') return faulty(key)
    return provenBy(key, verify(field, key))
  } catch (error) {
    if (error instanceof JwtError) return faulty(`The proof is not valid. ${error.description}`)
    throw error
  }
}

/** The key that the header brings along (RFC 9449 §4.3, items 6 and 7): the one place where a token names its own key. */
function embeddedKey(sent: { jwk: unknown; alg: Algorithm; kid: string | undefined }): Key | string {
  const { jwk, alg, kid } = sent
  if (!isJwk(jwk)) return 'The header of the proof must hold its public key, as jwk.'
  if (privateMembers.some((name) => Object.hasOwn(jwk, name)))
    return 'The proof contains a private key, which is not secret any more.'
  if (jwk.kty === 'RSA' && !isCheap(jwk)) return 'RSA keys are taken up to 4096 bits, with exponent 65537.'
  return importKey(jwk, { alg, kid })
}

/** RFC 7518 §6.2.2, §6.3.2, §6.4.1. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

function isJwk(value: unknown): value is Jwk {
  return typeof value === 'object' && value !== null && 'kty' in value && typeof value.kty === 'string'
}

function isCheap({ n, e }: Jwk): boolean {
  return typeof n === 'string' && n.length <= Math.ceil((4096 / 8) * (4 / 3)) && e === 'AQAB'
}

/** The times are the caller's to judge: `iat` by its clock, or by a nonce. */
function verify(token: string, key: Key): JwtClaims {
  return verifyJwt({
    token,
    keys: key,
    algorithms: proofAlgorithms,
    typ: 'dpop+jwt',
    requiredClaims: ['jti', 'htm', 'htu', 'iat'],
    dangerouslyAcceptAnyIssuer: true,
    dangerouslyAcceptAnyAudience: true,
    dangerouslyAllowNoExpiry: true,
    dangerouslyIgnoreTimes: true,
  }).claims
}

function provenBy(key: Key, claims: JwtClaims): ReadProof {
  const { jti, iat } = claims
  if (!jti || jti.length > longestJti)
    return faulty(`The jti of the proof must have 1 to ${longestJti} characters.`)
  if (iat === undefined) return faulty('The proof has no iat.')
  return { type: 'proof', jkt: jwkThumbprint(key), jti, iat, claims }
}

const longestJti = 256

function faulty(fault: string): ReadProof {
  return { type: 'faulty', fault }
}
