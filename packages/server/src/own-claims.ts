import { type ClaimFinding, lintClaims } from '@mapae/jwt/explain'
import { AuthError } from './auth-error.ts'
import type { Context } from './context.ts'
import type { ClaimsAccount } from './options.ts'

type Claims = Readonly<Record<string, unknown>>

/**
 * What the `claims` option adds to an account's access tokens. Anyone who holds a token can read it, and every API gets it: likely
 * secrets, card and identity numbers and personal data are refused, but for claims that `dangerouslyAllowSensitiveClaims` names.
 *
 * Throws `claims_refused`, with names and never a value; also for registered names and for what is no JSON object.
 */
export function ownClaims(ctx: Context, account: ClaimsAccount): Claims {
  const given: unknown = ctx.settings.claims?.(account)
  if (given === undefined) return {}
  const claims = asWritten(given)
  const taken = Object.keys(claims).find((name) => RESERVED.has(name))
  if (taken) throw refusedClaims(`may not set ${taken}`)
  const refused = lintClaims(claims).filter(({ claim }) => !isAllowed(ctx, claim))
  if (refused.length > 0) throw refusedClaims(`gives what anyone could read in a token: ${reasons(refused)}`)
  return claims
}

const RESERVED = new Set(
  'iss sub aud client_id sid epoch jti iat exp nbf scope roles auth_time amr cnf acr act azp nonce'.split(
    ' ',
  ),
)

/** Judged is what a token will hold: what a date, a getter or a `toJSON` becomes when it is written. */
function asWritten(given: unknown): Claims {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given)
  if (!isObject || 'then' in given) throw refusedClaims('must give an object, and at once')
  try {
    return { ...JSON.parse(JSON.stringify(given)) }
  } catch (cause) {
    throw refusedClaims('must give what can be written as JSON', cause)
  }
}

function isAllowed({ settings }: Context, claim: string): boolean {
  const allowed = settings.dangerouslyAllowSensitiveClaims
  return typeof allowed === 'boolean' ? allowed : allowed.includes(claim)
}

function reasons(findings: readonly ClaimFinding[]): string {
  return [...new Set(findings.map(({ claim, by }) => `${claim} (by its ${by})`))].join(', ')
}

function refusedClaims(why: string, cause?: unknown): AuthError {
  return new AuthError('claims_refused', `The claims option ${why}.`, { cause })
}
