import { borrowBase64url } from '../base64url.ts'
import { checkMaxLength, DEFAULT_MAX_LENGTH, findDots } from '../jws/compact.ts'
import { type JwtHeader, malformed, parseSegment, prepareHeaderReader } from '../jws/header.ts'
import { checkClaimTypes, type JwtClaims } from './claims.ts'

/** The parts of a JWT that nobody has verified. */
export interface UnverifiedJwt {
  readonly header: JwtHeader
  readonly claims: JwtClaims
  readonly signature: Uint8Array
  readonly signingInput: string
}

const headerOf = prepareHeaderReader()

/**
 * Takes a JWT apart, as strictly as a verifier does, but verifies nothing: anyone can have written what it gives. Throws
 * `token_too_large`, `token_malformed`, `crit_unsupported`, `claim_invalid`.
 */
export function decodeUnverified(
  token: string,
  options: { readonly maxLength?: number | undefined } = {},
): UnverifiedJwt {
  const { first, last } = findDots(token, checkMaxLength(options.maxLength ?? DEFAULT_MAX_LENGTH))
  const header = headerOf(token.slice(0, first))
  const claims = checkClaimTypes(parseSegment(token.slice(first + 1, last), 'payload'))
  const signature = borrowBase64url(token.slice(last + 1))
  if (!signature) throw malformed('the signature is not canonical base64url')
  return { header, claims, signature: new Uint8Array(signature), signingInput: token.slice(0, last) }
}
