import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccessClaims, Claims } from './access-claims.ts'
import type { Guard } from './guard.ts'
import { nodeRequest } from './node/request.ts'
import { putFieldsLast, sendAnswer } from './node/response.ts'
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
import { answerMetadata } from './resource-metadata.ts'
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
export function protect<Own>(guard: Guard<Own>, options: ProtectOptions = {}): ExpressHandler {
  const check = prepareCheck(guard, options)
  return async (request, response, next) => {
    const checked = check(nodeRequest(request, request.originalUrl ?? request.url), request.auth)
    const passage = 'type' in checked ? checked : await checked
    if (passage.type === 'refused') return sendAnswer(response, passage)
    request.auth = passage.claims
    putFieldsLast(response, passage.headers)
    next()
  }
}

/** Lets on only tokens with every name of the scope: `app.post('/orders', protect(guard), requireScope('orders:write'), …)`. */
export function requireScope(scope: Scope): ExpressHandler {
  return lettingOn(prepareScope(scope))
}

/** Lets on only accounts with one of the roles, behind `protect`. */
export function requireRole(role: string | readonly string[]): ExpressHandler {
  return lettingOn(prepareRole(role))
}

/** Lets on only recent or strong logins (RFC 9470), behind `protect`: `requireStepUp(guard, { maxAge: 300 })`. */
export function requireStepUp(guard: Guard, login: StepUp): ExpressHandler {
  return lettingOn(prepareStepUp(guard, login))
}

/** Serves what the API tells of itself (RFC 9728): `app.use(resourceMetadata(guard))`. Lets every other request on. */
export function resourceMetadata({ metadata }: Guard): ExpressHandler {
  return (request, response, next) => {
    const { method = '', originalUrl, url = '' } = request
    const answer = answerMetadata(metadata, { method, url: originalUrl ?? url })
    if (answer) return sendAnswer(response, answer)
    next()
  }
}

/** The claims that `protect` has put on the request. Throws GuardError `not_protected` where it did not run. */
export function claimsOf(request: ProtectedRequest): AccessClaims
/** As the guard has typed them. */
export function claimsOf<Own>(request: ProtectedRequest, guard: Guard<Own>): Claims<Own>
export function claimsOf(request: ProtectedRequest, guard?: Guard): AccessClaims {
  return claimsOrThrow(request.auth, guard)
}

function lettingOn(judge: Judge): ExpressHandler {
  return (request, response, next) => {
    const refused = judge(claimsOf(request))
    if (refused) return sendAnswer(response, refused)
    next()
  }
}

declare global {
  namespace Express {
    interface Request {
      /** The claims of the access token, behind `protect`. */
      auth?: AccessClaims | undefined
    }
  }
}
