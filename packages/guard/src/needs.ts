import type { AccessClaims } from './access-claims.ts'
import { GuardError } from './guard-error.ts'
import {
  type Challenged,
  insufficientAuthentication,
  insufficientRole,
  insufficientScope,
  type Refusal,
} from './refusal.ts'
import type { WhenStale } from './revocations/options.ts'
import { checkWhenStale } from './revocations/when-stale.ts'
import { type Scope, scopeNames } from './scope.ts'

/** What a route needs beside a good token. */
export type Needs = {
  /** Names that the token's `scope` must all hold. @default none */
  readonly scope?: Scope | undefined
  /** Names of which the token's `roles` must hold one. @default none */
  readonly role?: string | readonly string[] | undefined
  /** How long ago the person may have logged in, in seconds, by the claim `auth_time` (RFC 9470). @default any time */
  readonly maxAge?: number | undefined
  /** How the person must have logged in: values of which one must be the claim `acr` (RFC 9470). @default in any way */
  readonly acr?: string | readonly string[] | undefined
  /**
   * Let requests without a token on, as nobody's. A bad token in the `Authorization` field is refused all the same, since its sender
   * means to be somebody; one in a cookie, which browsers send by themselves, counts as none. @default false
   */
  readonly optional?: boolean | undefined
  /** What becomes of a good token while it is not known what was revoked: `RevocationOptions`. @default as the guard says */
  readonly whenStale?: WhenStale | undefined
}

/** Needs that were checked: lists, empty where anything goes. */
export type PreparedNeeds = {
  readonly scope: readonly string[]
  readonly roles: readonly string[]
  readonly maxAge: number | undefined
  readonly acr: readonly string[]
  readonly isOptional: boolean
  readonly whenStale: WhenStale | undefined
}

/** Checks the needs of a route, once for each object. Throws GuardError `options_invalid`. */
export function prepareNeeds(needs: Needs): PreparedNeeds {
  const known = prepared.get(needs)
  if (known) return known
  const { scope, role, maxAge, acr, optional = false, whenStale } = needs
  if (maxAge !== undefined && !(Number.isFinite(maxAge) && maxAge >= 0))
    throw invalid('maxAge must be a number of seconds.')
  if (typeof optional !== 'boolean') throw invalid('optional must be true or false.')
  if (whenStale !== undefined) checkWhenStale(whenStale)
  const checked = {
    scope: scope === undefined ? [] : scopeNames(scope),
    roles: role === undefined ? [] : namesOf('role', role),
    maxAge,
    acr: acr === undefined ? [] : namesOf('acr', acr),
    isOptional: optional,
    whenStale,
  }
  prepared.set(needs, checked)
  return checked
}

const prepared = new WeakMap<Needs, PreparedNeeds>()

/** The refusal for claims that do not reach this far, or nothing. Which login it was is asked last: only that can be mended. */
export function judgeNeeds(
  { scope, roles, maxAge, acr }: PreparedNeeds,
  claims: AccessClaims,
  about: { readonly resourceMetadata: string | undefined; readonly clock: () => number },
): Refusal | undefined {
  if (!holdsAll(claims.scope, scope)) return insufficientScope(challengedFor(claims, about), scope)
  if (roles.length > 0 && !roles.some((role) => claims.roles?.includes(role)))
    return insufficientRole(challengedFor(claims, about))
  const isRecent = maxAge === undefined || isWithin(claims.auth_time, { maxAge, now: about.clock() })
  const isStrong = acr.length === 0 || (claims.acr !== undefined && acr.includes(claims.acr))
  return isRecent && isStrong
    ? undefined
    : insufficientAuthentication(challengedFor(claims, about), { maxAge, acr })
}

/** How the token of admitted claims came: its binding says so (RFC 9449 §7.1). */
function challengedFor(
  { cnf }: AccessClaims,
  { resourceMetadata }: Pick<Challenged, 'resourceMetadata'>,
): Challenged {
  return { schemes: [cnf ? 'DPoP' : 'Bearer'], resourceMetadata }
}

function holdsAll(granted: string | undefined, needed: readonly string[]): boolean {
  if (needed.length === 0) return true
  const names = (granted ?? '').split(' ')
  return needed.every((name) => names.includes(name))
}

/** Written so that a clock which gives NaN refuses. A login in the future, by another machine's clock, is one of now. */
function isWithin(authTime: number | undefined, { maxAge, now }: { maxAge: number; now: number }): boolean {
  return authTime !== undefined && now / 1000 - authTime <= maxAge
}

function namesOf(option: string, value: string | readonly string[]): readonly string[] {
  const names: readonly unknown[] = typeof value === 'string' ? [value] : value
  if (Array.isArray(names) && names.length > 0 && names.every(isName)) return names
  throw invalid(`${option} must be a name or a list of names, without spaces.`)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[^\s"\\]+$/.test(value)
}

function invalid(description: string): GuardError {
  return new GuardError('options_invalid', description)
}
