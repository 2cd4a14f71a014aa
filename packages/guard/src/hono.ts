import type { Context, MiddlewareHandler } from 'hono'
import type { AccessClaims, Claims } from './access-claims.ts'
import type { Guard } from './guard.ts'
import type { HeaderPair } from './http/headers.ts'
import {
  claimsOrThrow,
  type Judge,
  type ProtectOptions,
  prepareCheck,
  prepareRole,
  prepareScope,
  prepareStepUp,
  type StepUp,
} from './protect.ts'
import type { Refusal } from './refusal.ts'
import { answerMetadata } from './resource-metadata.ts'
import type { Scope } from './scope.ts'

/** The variables behind `protect`: `new Hono<GuardEnv>()`, where it is not told from the route itself. */
export type GuardEnv<Own = unknown> = { Variables: { auth: Claims<Own> } }

/** The variables behind `protect` with `optional`: nobody's requests have no claims. */
export type OptionalGuardEnv<Own = unknown> = { Variables: { auth: Claims<Own> | undefined } }

/**
 * Lets only admitted requests on, with the token's claims as `c.var.auth`, and answers with the guard's refusal
 * otherwise: `app.get('/orders', protect(guard), …)` or `app.use(protect(guard))`. A renewed token goes out with the
 * response.
 *
 * @throws GuardError `options_invalid`, when the route is defined.
 */
export function protect<Own>(
  guard: Guard<Own>,
  options?: ProtectOptions & { readonly optional?: false | undefined },
): MiddlewareHandler<GuardEnv<Own>>
export function protect<Own>(
  guard: Guard<Own>,
  options: ProtectOptions,
): MiddlewareHandler<OptionalGuardEnv<Own>>
export function protect<Own>(
  guard: Guard<Own>,
  options: ProtectOptions = {},
): MiddlewareHandler<OptionalGuardEnv<Own>> {
  const check = prepareCheck(guard, options)
  return async (c, next) => {
    const { method, url } = c.req
    const checked = check({ method, url, header: (name) => c.req.header(name) }, c.var.auth)
    const passage = 'type' in checked ? checked : await checked
    if (passage.type === 'refused') return refuseWith(c, passage)
    c.set('auth', passage.claims)
    await next()
    putFields(c, passage.headers)
  }
}

/** Lets on only tokens with every name of the scope: `app.post('/orders', protect(guard), requireScope('orders:write'), …)`. */
export function requireScope(scope: Scope): MiddlewareHandler<GuardEnv> {
  return lettingOn(prepareScope(scope))
}

/** Lets on only accounts with one of the roles, behind `protect`. */
export function requireRole(role: string | readonly string[]): MiddlewareHandler<GuardEnv> {
  return lettingOn(prepareRole(role))
}

/** Lets on only recent or strong logins (RFC 9470), behind `protect`: `requireStepUp(guard, { maxAge: 300 })`. */
export function requireStepUp(guard: Guard, login: StepUp): MiddlewareHandler<GuardEnv> {
  return lettingOn(prepareStepUp(guard, login))
}

/** Serves what the API tells of itself (RFC 9728): `app.use(resourceMetadata(guard))`. Lets every other request on. */
export function resourceMetadata({ metadata }: Guard): MiddlewareHandler {
  return async (c, next) => {
    const answer = answerMetadata(metadata, c.req)
    if (!answer) return next()
    putFields(c, answer.headers)
    return c.body(JSON.stringify(answer.body))
  }
}

/** The claims that `protect` has put on the context. Throws GuardError `not_protected` where it did not run. */
export function claimsOf(c: Context): AccessClaims
/** As the guard has typed them. */
export function claimsOf<Own>(c: Context, guard: Guard<Own>): Claims<Own>
export function claimsOf(c: Context<GuardEnv>, guard?: Guard): AccessClaims {
  return claimsOrThrow(c.var.auth, guard)
}

function lettingOn(judge: Judge): MiddlewareHandler<GuardEnv> {
  return async (c, next) => {
    const refused = judge(claimsOrThrow(c.var.auth))
    if (refused) return refuseWith(c, refused)
    await next()
  }
}

function refuseWith(c: Context, refusal: Refusal): Response {
  putFields(c, refusal.headers)
  return c.body(JSON.stringify(refusal.body), refusal.status)
}

function putFields(c: Context, fields: readonly HeaderPair[]): void {
  for (const [name, value] of fields) c.header(name, value, { append: name.toLowerCase() === 'set-cookie' })
}
