import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccessClaims } from './access-claims.ts'
import type { Guard } from './guard.ts'
import { nodeRequest } from './node/request.ts'
import { putFieldsLast, sendRefusal } from './node/response.ts'
import { claimsOrThrow, type ProtectOptions, prepareNeeds, prepareScope } from './protect.ts'
import type { Scope } from './scope.ts'

/** What is used of an Express request. */
export type ProtectedRequest = IncomingMessage & {
  readonly originalUrl?: string
  auth?: AccessClaims | undefined
}

/** An Express 5 handler, by its shape. */
export type ExpressHandler = (
  request: ProtectedRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void | Promise<void>

/**
 * Lets only admitted requests on, with the token's claims as `request.auth`, and sends the guard's refusal otherwise:
 * `app.get('/orders', protect(guard), …)` or `app.use(protect(guard))`. A renewed token goes out with the response.
 *
 * @throws GuardError `options_invalid`, when the route is defined.
 */
export function protect(guard: Guard, options: ProtectOptions = {}): ExpressHandler {
  const needs = prepareNeeds(options)
  return async (request, response, next) => {
    const admission = await guard.check(nodeRequest(request, request.originalUrl ?? request.url), needs)
    if (admission.type === 'refused') return sendRefusal(response, admission)
    request.auth = admission.claims
    putFieldsLast(response, admission.headers)
    next()
  }
}

/** Lets on only tokens with every name of the scope: `app.post('/orders', protect(guard), requireScope('orders:write'), …)`. */
export function requireScope(scope: Scope): ExpressHandler {
  const refuse = prepareScope(scope)
  return (request, response, next) => {
    const refused = refuse(claimsOf(request))
    if (refused) return sendRefusal(response, refused)
    next()
  }
}

/** The claims that `protect` has put on the request. Throws GuardError `not_protected` where it did not run. */
export function claimsOf(request: ProtectedRequest): AccessClaims {
  return claimsOrThrow(request.auth)
}

declare global {
  namespace Express {
    interface Request {
      /** The claims of the access token, behind `protect`. */
      auth?: AccessClaims | undefined
    }
  }
}
