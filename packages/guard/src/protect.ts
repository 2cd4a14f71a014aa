import type { AccessClaims } from './access-claims.ts'
import type { Needs } from './guard.ts'
import { GuardError } from './guard-error.ts'
import type { Refusal } from './refusal.ts'
import type { WhenStale } from './revocations/options.ts'
import { refuseScope, type Scope, scopeNames } from './scope.ts'

export type ProtectOptions = {
  /** Names that the token's `scope` must all hold. @default none */
  readonly scope?: Scope | undefined
  /** What becomes of a good token while it is not known what was revoked. @default as the guard says */
  readonly whenStale?: WhenStale | undefined
}

/** Checks the options once, when a route is defined. Throws GuardError `options_invalid`. */
export function prepareNeeds(options: ProtectOptions): Needs {
  const { scope, whenStale } = options
  if (whenStale !== undefined && whenStale !== 'accept' && whenStale !== 'refuse')
    throw new GuardError('options_invalid', "whenStale must be 'accept' or 'refuse'.")
  return { ...(scope !== undefined && { scope: scopeNames(scope) }), ...(whenStale && { whenStale }) }
}

/** Checks the scope once; the function judges claims that `protect` has put on a request. */
export function prepareScope(scope: Scope): (claims: AccessClaims) => Refusal | undefined {
  const names = scopeNames(scope)
  return (claims) => refuseScope(claims, names)
}

/** Gives the claims, or throws GuardError `not_protected`: a mistake in the order of the route's handlers. */
export function claimsOrThrow(claims: AccessClaims | undefined): AccessClaims {
  if (claims) return claims
  throw new GuardError('not_protected', 'No claims here: `protect` must come before.')
}
