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
  const [claim, missing] = firstFault(claims) ?? ['', false]
  throw new JwtError({
    code: missing ? 'claim_missing' : 'claim_invalid',
    description: missing ? `The claim ${claim} is missing.` : `The claim ${claim} has the wrong type.`,
    detail: { claim },
  })
}

/** The claims that an access token must have; the verifier asks for them before it looks at times. */
export const requiredClaims: readonly string[] = ['iss', 'sub', 'aud', 'client_id', 'jti', 'iat', 'exp']

function areAccessClaims(claims: JwtClaims): claims is AccessClaims {
  return firstFault(claims) === undefined
}

function firstFault(claims: JwtClaims): readonly [claim: string, missing: boolean] | undefined {
  const missing = requiredClaims.find((claim) => claims[claim] === undefined)
  if (missing !== undefined) return [missing, true]
  const wrong = shapes.find(([claim, fits]) => claims[claim] !== undefined && !fits(claims[claim]))
  return wrong && [wrong[0], false]
}

const isText = (value: unknown) => typeof value === 'string'
const isFilled = (value: unknown) => typeof value === 'string' && value !== ''
const isNumber = (value: unknown) => Number.isFinite(value)
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText)

/** Beside the registered claims, whose types the verifier has checked. */
const shapes: readonly (readonly [claim: string, fits: (value: unknown) => boolean])[] = [
  ['sub', isFilled],
  ['client_id', isFilled],
  ['jti', isFilled],
  ['sid', isFilled],
  ['epoch', isNumber],
  ['scope', isText],
  ['roles', isTexts],
  ['auth_time', isNumber],
  ['amr', isTexts],
  ['acr', isText],
  ['cnf', (value) => typeof value === 'object' && value !== null && !Array.isArray(value)],
]
