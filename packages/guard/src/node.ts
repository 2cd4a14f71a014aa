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

export { nodeRequest } from './node/request.ts'

/** A request of `node:http` behind `protect`. */
export type ProtectedRequest = IncomingMessage & { auth?: AccessClaims | undefined }

/** A listener of `node:http`. */
export type NodeHandler = (request: ProtectedRequest, response: ServerResponse) => void | Promise<void>

/**
 * Calls the handler for admitted requests only, with the token's claims as `request.auth`, and sends the guard's refusal
 * otherwise: `createServer(protect(guard, handler))`. A renewed token goes out with the response. Rejects with what the handler
 * throws.
 *
 * @throws GuardError `options_invalid`, when it is made.
 */
export function protect<Own>(
  guard: Guard<Own>,
  handler: NodeHandler,
  options: ProtectOptions = {},
): (request: ProtectedRequest, response: ServerResponse) => Promise<void> {
  const check = prepareCheck(guard, options)
  return async (request, response) => {
    const checked = check(nodeRequest(request, request.url), request.auth)
    const passage = 'type' in checked ? checked : await checked
    if (passage.type === 'refused') return sendAnswer(response, passage)
    request.auth = passage.claims
    putFieldsLast(response, passage.headers)
    return handler(request, response)
  }
}

/** Tells whether a request may go on, and answers it otherwise. */
export type Requirement = (request: ProtectedRequest, response: ServerResponse) => boolean

/** Lets on only tokens with every name of the scope: `if (!mayWrite(request, response)) return`. */
export function requireScope(scope: Scope): Requirement {
  return lettingOn(prepareScope(scope))
}

/** Lets on only accounts with one of the roles, behind `protect`. */
export function requireRole(role: string | readonly string[]): Requirement {
  return lettingOn(prepareRole(role))
}

/** Lets on only recent or strong logins (RFC 9470), behind `protect`: `requireStepUp(guard, { maxAge: 300 })`. */
export function requireStepUp(guard: Guard, login: StepUp): Requirement {
  return lettingOn(prepareStepUp(guard, login))
}

/** Serves what the API tells of itself (RFC 9728), and tells whether it did: `if (serveMetadata(request, response)) return`. */
export function resourceMetadata({ metadata }: Guard): Requirement {
  return ({ method = '', url = '' }, response) => {
    const answer = answerMetadata(metadata, { method, url })
    if (answer) sendAnswer(response, answer)
    return answer !== undefined
  }
}

/** The claims that `protect` has put on the request. Throws GuardError `not_protected` where it did not run. */
export function claimsOf(request: ProtectedRequest): AccessClaims
/** As the guard has typed them. */
export function claimsOf<Own>(request: ProtectedRequest, guard: Guard<Own>): Claims<Own>
export function claimsOf(request: ProtectedRequest, guard?: Guard): AccessClaims {
  return claimsOrThrow(request.auth, guard)
}

function lettingOn(judge: Judge): Requirement {
  return (request, response) => {
    const refused = judge(claimsOf(request))
    if (refused) sendAnswer(response, refused)
    return !refused
  }
}
