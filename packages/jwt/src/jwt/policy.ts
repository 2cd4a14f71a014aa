import { JwtError } from '../errors.ts'
import type { JwtHeader } from '../jws/header.ts'
import type { JwtClaims } from './claims.ts'

/** The issuer is named, or waived aloud. */
export type IssuerPolicy =
  | {
      /** The `iss` to accept, or several. */
      readonly issuer: string | readonly string[]
      readonly dangerouslyAcceptAnyIssuer?: false | undefined
    }
  | { readonly issuer?: undefined; readonly dangerouslyAcceptAnyIssuer: true }

/** The audience is named, or waived aloud. */
export type AudiencePolicy =
  | {
      /** Who verifies: one of these must be in `aud`. */
      readonly audience: string | readonly string[]
      readonly dangerouslyAcceptAnyAudience?: false | undefined
    }
  | { readonly audience?: undefined; readonly dangerouslyAcceptAnyAudience: true }

/** The type is named, or waived aloud. */
export type TypePolicy =
  | {
      /** The `typ` to accept, or several, such as `at+jwt`; compared as media types (RFC 7515 §4.1.9, RFC 8725 §3.11). */
      readonly typ: string | readonly string[]
      readonly dangerouslyAcceptAnyType?: false | undefined
    }
  | { readonly typ?: undefined; readonly dangerouslyAcceptAnyType: true }

export interface TimePolicy {
  /** The time in milliseconds, like `Date.now`. @default Date.now */
  readonly clock?: (() => number) | undefined
  /** How far `nbf` and `iat` may be ahead of the clock, in seconds; `exp` gets nothing. @default 5 */
  readonly clockTolerance?: number | undefined
  /** Claims that must be there beside `exp` and those compared here. @default [] */
  readonly requiredClaims?: readonly string[] | undefined
  /** Accept tokens without `exp`, which never end by themselves. @default false */
  readonly dangerouslyAllowNoExpiry?: boolean | undefined
  /** Do not compare `exp`, `nbf` and `iat` with the clock; their types are still checked. @default false */
  readonly dangerouslyIgnoreTimes?: boolean | undefined
}

export type ClaimsPolicy = IssuerPolicy & AudiencePolicy & TimePolicy

/** What is to be checked of claims: `check` everything, times last, so that only a good token is expired; `checkTimes` those alone. */
export interface ClaimsChecks {
  readonly check: (claims: JwtClaims) => void
  readonly checkTimes: (claims: JwtClaims) => void
}

/** Checks the policy once; the functions throw for claims that break it. */
export function prepareClaimsPolicy(policy: ClaimsPolicy): ClaimsChecks {
  const issuers = names('issuer', policy.issuer, policy.dangerouslyAcceptAnyIssuer)
  const audiences = names('audience', policy.audience, policy.dangerouslyAcceptAnyAudience)
  const required = [...(policy.dangerouslyAllowNoExpiry ? [] : ['exp']), ...(policy.requiredClaims ?? [])]
  const checkTimes = prepareTimes(policy)
  const check = (claims: JwtClaims): void => {
    checkIssuer(claims, issuers)
    checkAudience(claims, audiences)
    for (const claim of required) if (!Object.hasOwn(claims, claim)) throw missing(claim)
    checkTimes(claims)
  }
  return { check, checkTimes }
}

/** Checks the policy once; the function throws `type_mismatch` for a header of another type. */
export function prepareTypePolicy(policy: TypePolicy): (header: JwtHeader) => void {
  const types = names('typ', policy.typ, policy.dangerouslyAcceptAnyType)?.map(mediaType)
  return (header) => {
    if (types === undefined || (header.typ !== undefined && types.includes(mediaType(header.typ)))) return
    throw new JwtError({ code: 'type_mismatch', description: 'The token is of another type (typ).' })
  }
}

function names(
  option: string,
  value: string | readonly string[] | undefined,
  any: boolean | undefined,
): readonly string[] | undefined {
  if (any === true && value === undefined) return undefined
  const list: readonly unknown[] = typeof value === 'string' ? [value] : (value ?? [])
  if (any !== true && list.length > 0 && list.every(isName)) return list.filter(isName)
  throw new JwtError({
    code: 'options_invalid',
    description: `A verifier needs ${option}, as text or a list, or the option that waives it, not both.`,
  })
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function mediaType(typ: string): string {
  const lower = typ.toLowerCase()
  return lower.startsWith('application/') && !lower.includes('/', 12) ? lower.slice(12) : lower
}

function checkIssuer({ iss }: JwtClaims, issuers: readonly string[] | undefined): void {
  if (issuers === undefined) return
  if (iss === undefined) throw missing('iss')
  if (issuers.includes(iss)) return
  throw new JwtError({
    code: 'issuer_mismatch',
    description: 'The token is from another issuer.',
    detail: { iss },
  })
}

function checkAudience({ aud }: JwtClaims, audiences: readonly string[] | undefined): void {
  if (audiences === undefined) return
  if (aud === undefined) throw missing('aud')
  const meant = typeof aud === 'string' ? audiences.includes(aud) : aud.some((one) => audiences.includes(one))
  if (meant) return
  throw new JwtError({
    code: 'audience_mismatch',
    description: 'The token is meant for another audience.',
    detail: { aud },
  })
}

/** Written so that a clock which gives NaN refuses everything. */
function prepareTimes(policy: TimePolicy): (claims: JwtClaims) => void {
  const { clock = Date.now, clockTolerance = 5, dangerouslyIgnoreTimes = false } = policy
  if (!(Number.isFinite(clockTolerance) && clockTolerance >= 0)) {
    throw new JwtError({
      code: 'options_invalid',
      description: 'clockTolerance must be seconds, zero or more.',
    })
  }
  if (dangerouslyIgnoreTimes) return () => {}
  return ({ exp, nbf, iat }) => {
    const now = clock() / 1000
    const latest = now + clockTolerance
    if (nbf !== undefined && !(nbf <= latest)) throw notYet('nbf', nbf, now)
    if (iat !== undefined && !(iat <= latest)) throw notYet('iat', iat, now)
    if (exp === undefined || now < exp) return
    throw new JwtError({ code: 'token_expired', description: 'The token has expired.', detail: { exp, now } })
  }
}

function notYet(claim: string, value: number, now: number): JwtError {
  return new JwtError({
    code: 'token_not_yet_valid',
    description: `The token is not valid yet (${claim}).`,
    detail: { [claim]: value, now },
  })
}

function missing(claim: string): JwtError {
  return new JwtError({
    code: 'claim_missing',
    description: `The claim ${claim} is missing.`,
    detail: { claim },
  })
}
