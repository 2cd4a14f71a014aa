import { type JwtClaims, JwtError } from '@mapae/jwt'

/**
 * The claims of an access token (RFC 9068 §2.2), checked. Times are seconds since 1970. Claims of your own keep their
 * names and are `unknown` until you look at them.
 */
export interface AccessClaims extends JwtClaims {
  readonly iss: string
  /** Whom the token speaks for: the account. */
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly client_id: string
  readonly jti: string
  readonly iat: number
  readonly exp: number
  /** The session: one login on one device. Mapae always sets it. */
  readonly sid?: string | undefined
  /** The account's counter; a raised one refuses every older token. Mapae always sets it. */
  readonly epoch?: number | undefined
  /** Names with single spaces between them (RFC 6749 §3.3). */
  readonly scope?: string | undefined
  readonly roles?: readonly string[] | undefined
  /** When the person last logged in. */
  readonly auth_time?: number | undefined
  /** How the person logged in (RFC 8176). */
  readonly amr?: readonly string[] | undefined
  readonly acr?: string | undefined
  /** What the token is bound to (RFC 7800), such as a device key (RFC 9449 §6.1). */
  readonly cnf?: { readonly jkt?: string | undefined; readonly [method: string]: unknown } | undefined
}

/** The claims of an admitted request: those of an access token, and the app's own. */
export type Claims<Own = unknown> = AccessClaims & Own

/** Gives the same object, typed. Throws `claim_missing` or `claim_invalid` for what is no access token (RFC 9068 §2.2). */
export function checkAccessClaims(claims: JwtClaims): AccessClaims {
  if (areAccessClaims(claims)) return claims
  const claim = missingClaim(claims)
  if (claim === undefined) throw refusal('claim_invalid', wrongClaim(claims))
  throw refusal('claim_missing', claim)
}

/** The claims that an access token must have; the verifier asks for them before it looks at times. */
export const requiredClaims: readonly string[] = ['iss', 'sub', 'aud', 'client_id', 'jti', 'iat', 'exp']

function areAccessClaims(claims: JwtClaims): claims is AccessClaims {
  return missingClaim(claims) === undefined && wrongClaim(claims) === undefined
}

// Claims are asked for by name, one after the other: walking through a table of names takes many times as long.

function missingClaim({ iss, sub, aud, client_id, jti, iat, exp }: JwtClaims): string | undefined {
  if (iss === undefined) return 'iss'
  if (sub === undefined) return 'sub'
  if (aud === undefined) return 'aud'
  if (client_id === undefined) return 'client_id'
  if (jti === undefined) return 'jti'
  if (iat === undefined) return 'iat'
  return exp === undefined ? 'exp' : undefined
}

/** Beside the registered claims, whose types the verifier has checked. */
function wrongClaim(claims: JwtClaims): string | undefined {
  const { sub, client_id, jti, sid, epoch, scope, roles, auth_time, amr, acr, cnf } = claims
  if (!isFilled(sub)) return 'sub'
  if (!isFilled(client_id)) return 'client_id'
  if (!isFilled(jti)) return 'jti'
  if (sid !== undefined && !isFilled(sid)) return 'sid'
  if (epoch !== undefined && !Number.isFinite(epoch)) return 'epoch'
  if (scope !== undefined && !isText(scope)) return 'scope'
  if (roles !== undefined && !isTexts(roles)) return 'roles'
  if (auth_time !== undefined && !Number.isFinite(auth_time)) return 'auth_time'
  if (amr !== undefined && !isTexts(amr)) return 'amr'
  if (acr !== undefined && !isText(acr)) return 'acr'
  return cnf === undefined || isObject(cnf) ? undefined : 'cnf'
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isFilled(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText)
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refusal(code: 'claim_missing' | 'claim_invalid', claim: string | undefined): JwtError {
  const fault = code === 'claim_missing' ? 'is missing' : 'has the wrong type'
  return new JwtError({ code, description: `The claim ${claim} ${fault}.`, detail: { claim } })
}
