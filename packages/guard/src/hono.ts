import type { Context, MiddlewareHandler } from 'hono'
import type { AccessClaims } from './access-claims.ts'
import type { Guard } from './guard.ts'
import type { HeaderPair } from './http/headers.ts'
import { claimsOrThrow, type ProtectOptions, prepareNeeds, prepareScope } from './protect.ts'
import type { Refusal } from './refusal.ts'
import type { Scope } from './scope.ts'

/** The variables behind `protect`: `new Hono<GuardEnv>()`, where it is not told from the route itself. */
export type GuardEnv = { Variables: { auth: AccessClaims } }

/**
 * Lets only admitted requests on, with the token's claims as `c.var.auth`, and answers with the guard's refusal
 * otherwise: `app.get('/orders', protect(guard), …)` or `app.use(protect(guard))`. A renewed token goes out with the
 * response.
 *
 * @throws GuardError `options_invalid`, when the route is defined.
 */
export function protect(guard: Guard, options: ProtectOptions = {}): MiddlewareHandler<GuardEnv> {
  const needs = prepareNeeds(options)
  return async (c, next) => {
    const { method, url } = c.req
    const admission = await guard.check({ method, url, header: (name) => c.req.header(name) }, needs)
    if (admission.type === 'refused') return refuseWith(c, admission)
    c.set('auth', admission.claims)
    await next()
    putFields(c, admission.headers)
  }
}

/** Lets on only tokens with every name of the scope: `app.post('/orders', protect(guard), requireScope('orders:write'), …)`. */
export function requireScope(scope: Scope): MiddlewareHandler<GuardEnv> {
  const refuse = prepareScope(scope)
  return async (c, next) => {
    const refused = refuse(claimsOrThrow(c.var.auth))
    if (refused) return refuseWith(c, refused)
    await next()
  }
}

function refuseWith(c: Context<GuardEnv>, refusal: Refusal): Response {
  putFields(c, refusal.headers)
  return c.body(JSON.stringify(refusal.body), refusal.status)
}

function putFields(c: Context<GuardEnv>, fields: readonly HeaderPair[]): void {
  for (const [name, value] of fields) c.header(name, value, { append: name.toLowerCase() === 'set-cookie' })
}
