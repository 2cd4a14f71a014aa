import type { IncomingMessage, ServerResponse } from 'node:http'
import type {} from 'fastify'
import type { AccessClaims, Claims } from './access-claims.ts'
import type { Guard } from './guard.ts'
import { nodeRequest } from './node/request.ts'
import { putFieldsLast } from './node/response.ts'
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
import { type Answer, answerMetadata } from './resource-metadata.ts'
import type { Scope } from './scope.ts'

/** What is used of a Fastify request. */
export type ProtectedRequest = {
  readonly raw: IncomingMessage
  readonly originalUrl: string
  auth?: AccessClaims | undefined
}

/** What is used of a Fastify reply. */
export type GuardedReply = {
  readonly raw: ServerResponse
  code(status: number): unknown
  header(name: string, value: string): unknown
  send(payload: unknown): unknown
}

/** A Fastify 5 hook, by its shape. */
export type FastifyHook = (request: ProtectedRequest, reply: GuardedReply) => Promise<unknown>

/**
 * Lets only admitted requests on, with the token's claims as `request.auth`, and sends the guard's refusal otherwise:
 * `app.addHook('onRequest', protect(guard))` for a whole instance, `{ onRequest: protect(guard) }` for a route. A renewed
 * token goes out with the reply.
 *
 * @throws GuardError `options_invalid`, when the hook is made.
 */
export function protect<Own>(guard: Guard<Own>, options: ProtectOptions = {}): FastifyHook {
  const check = prepareCheck(guard, options)
  return async (request, reply) => {
    const checked = check(nodeRequest(request.raw, request.originalUrl), request.auth)
    const passage = 'type' in checked ? checked : await checked
    if (passage.type === 'refused') return sendAnswer(reply, passage)
    request.auth = passage.claims
    putFieldsLast(reply.raw, passage.headers)
  }
}

/** Lets on only tokens with every name of the scope: `{ onRequest: [protect(guard), requireScope('orders:write')] }`. */
export function requireScope(scope: Scope): FastifyHook {
  return lettingOn(prepareScope(scope))
}

/** Lets on only accounts with one of the roles, behind `protect`. */
export function requireRole(role: string | readonly string[]): FastifyHook {
  return lettingOn(prepareRole(role))
}

/** Lets on only recent or strong logins (RFC 9470), behind `protect`: `requireStepUp(guard, { maxAge: 300 })`. */
export function requireStepUp(guard: Guard, login: StepUp): FastifyHook {
  return lettingOn(prepareStepUp(guard, login))
}

/**
 * Serves what the API tells of itself (RFC 9728), and lets every other request on: `app.addHook('onRequest',
 * resourceMetadata(guard))`, on the root instance and before a `protect` of the whole.
 */
export function resourceMetadata({ metadata }: Guard): FastifyHook {
  return async ({ raw, originalUrl }, reply) => {
    const answer = answerMetadata(metadata, { method: raw.method ?? '', url: originalUrl })
    if (answer) return sendAnswer(reply, answer)
  }
}

/** The claims that `protect` has put on the request. Throws GuardError `not_protected` where it did not run. */
export function claimsOf(request: Pick<ProtectedRequest, 'auth'>): AccessClaims
/** As the guard has typed them. */
export function claimsOf<Own>(request: Pick<ProtectedRequest, 'auth'>, guard: Guard<Own>): Claims<Own>
export function claimsOf(request: Pick<ProtectedRequest, 'auth'>, guard?: Guard): AccessClaims {
  return claimsOrThrow(request.auth, guard)
}

function lettingOn(judge: Judge): FastifyHook {
  return async (request, reply) => {
    const refused = judge(claimsOf(request))
    if (refused) return sendAnswer(reply, refused)
  }
}

function sendAnswer(reply: GuardedReply, answer: Answer): GuardedReply {
  reply.code(answer.status)
  for (const [name, value] of answer.headers) reply.header(name, value)
  reply.send(JSON.stringify(answer.body))
  return reply
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The claims of the access token, behind `protect`. */
    auth?: AccessClaims | undefined
  }
}
