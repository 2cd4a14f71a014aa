import { JwtError } from '../errors.ts'
import type { JsonObject } from '../json.ts'

/** The claims of a JWT (RFC 7519 §4). Times are seconds since 1970. */
export interface JwtClaims {
  readonly iss?: string | undefined
  readonly sub?: string | undefined
  readonly aud?: string | readonly string[] | undefined
  readonly exp?: number | undefined
  readonly nbf?: number | undefined
  readonly iat?: number | undefined
  readonly jti?: string | undefined
  readonly [claim: string]: unknown
}

/** Gives the same object as claims. Throws `claim_invalid` when a registered claim has the wrong type (RFC 7519 §4.1). */
export function checkClaimTypes(claims: JsonObject): JwtClaims {
  if (hasClaimTypes(claims)) return claims
  const claim = wrongClaim(claims)
  throw new JwtError({
    code: 'claim_invalid',
    description: `The claim ${claim} has the wrong type.`,
    detail: { claim },
  })
}

function hasClaimTypes(claims: JsonObject): claims is JwtClaims {
  return wrongClaim(claims) === undefined
}

function wrongClaim(claims: JsonObject): string | undefined {
  if (!isOptionalString(claims['iss'])) return 'iss'
  if (!isOptionalString(claims['sub'])) return 'sub'
  if (!isOptionalString(claims['jti'])) return 'jti'
  if (!isOptionalNumber(claims['exp'])) return 'exp'
  if (!isOptionalNumber(claims['nbf'])) return 'nbf'
  if (!isOptionalNumber(claims['iat'])) return 'iat'
  const { aud } = claims
  const isAudience =
    isOptionalString(aud) || (Array.isArray(aud) && aud.every((one) => typeof one === 'string'))
  return isAudience ? undefined : 'aud'
}

function isOptionalString(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

function isOptionalNumber(value: unknown): boolean {
  return value === undefined || Number.isFinite(value)
}
