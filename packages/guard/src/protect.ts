import type { AccessClaims } from './access-claims.ts'
import type { Needs } from './guard.ts'
import { GuardError } from './guard-error.ts'
import type { Refusal } from './refusal.ts'
import { refuseScope, type Scope, scopeNames } from './scope.ts'

export type ProtectOptions = {
  /** Names that the token's `scope` must all hold. @default none */
  readonly scope?: Scope | undefined
}

/** Checks the options once, when a route is defined. Throws GuardError `options_invalid`. */
export function prepareNeeds(options: ProtectOptions): Needs {
  return options.scope === undefined ? {} : { scope: scopeNames(options.scope) }
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
