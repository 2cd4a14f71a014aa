import type { AccessClaims, Claims } from './access-claims.ts'
import type { Admitted, Anonymous, Guard, Soon } from './guard.ts'
import { GuardError } from './guard-error.ts'
import { judgeNeeds, type Needs, prepareNeeds } from './needs.ts'
import { provenanceOf } from './provenance.ts'
import type { Refusal } from './refusal.ts'
import type { GuardRequest } from './request.ts'
import type { Scope } from './scope.ts'

// What every adapter does, so that an adapter only carries requests and answers between a framework and this.

export type ProtectOptions = Needs

/** How a request comes out of a guard, as far as an adapter looks at it. */
export type Passage<Own> =
  | Pick<Admitted<Own>, 'type' | 'claims' | 'headers'>
  | Pick<Anonymous, 'type' | 'claims' | 'headers'>
  | Refusal

/**
 * Checks the options once, when a route is defined: throws GuardError `options_invalid`. The function judges a request;
 * `before` are the claims that it carries already: a request that this guard has admitted is not verified twice, which would
 * use up its DPoP proof.
 */
export function prepareCheck<Own>(
  guard: Guard<Own>,
  needs: ProtectOptions,
): (request: GuardRequest, before?: unknown) => Soon<Passage<Own>> {
  prepareNeeds(needs)
  return (request, before) =>
    before !== undefined && guard.hasAdmitted(before)
      ? (guard.judge(before, needs) ?? { type: 'admitted', claims: before, headers: [] })
      : guard.check(request, needs)
}

/** Judges claims that `protect` has put on a request. */
export type Judge = (claims: AccessClaims) => Refusal | undefined

/** Checks the scope once: throws GuardError `options_invalid`. */
export function prepareScope(scope: Scope): Judge {
  return timeless({ scope })
}

/** Checks the roles once: throws GuardError `options_invalid`. */
export function prepareRole(role: string | readonly string[]): Judge {
  return timeless({ role })
}

/** What a login must have been like (RFC 9470). */
export type StepUp = Pick<Needs, 'maxAge' | 'acr'>

/** Checks what login is needed, once: throws GuardError `options_invalid`. The guard tells the time. */
export function prepareStepUp(guard: Guard, { maxAge, acr }: StepUp): Judge {
  const needs = { maxAge, acr }
  prepareNeeds(needs)
  return (claims) => guard.judge(claims, needs)
}

function timeless(needs: Needs): Judge {
  const prepared = prepareNeeds(needs)
  return (claims) => {
    const resourceMetadata = provenanceOf(claims)?.by.resourceMetadata
    return judgeNeeds(prepared, claims, { resourceMetadata, clock: noClock })
  }
}

/** Roles and scopes know no time. */
function noClock(): number {
  return Number.NaN
}

/**
 * Gives the claims that `protect` has put on a request; with its guard, as that has typed them. Throws GuardError
 * `not_protected` where it did not run, which is a mistake in the order of the route's handlers.
 */
export function claimsOrThrow(claims: AccessClaims | undefined): AccessClaims
export function claimsOrThrow<Own>(claims: AccessClaims | undefined, guard: Guard<Own>): Claims<Own>
export function claimsOrThrow(claims: AccessClaims | undefined, guard: Guard | undefined): AccessClaims
export function claimsOrThrow(claims: AccessClaims | undefined, guard?: Guard): AccessClaims {
  if (claims && (guard ? guard.hasAdmitted(claims) : provenanceOf(claims))) return claims
  throw new GuardError(
    'not_protected',
    'No claims here: `protect` must come before, with the same guard, of the same copy of @mapae/guard.',
  )
}
