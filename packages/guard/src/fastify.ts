import type { IncomingMessage, ServerResponse } from 'node:http'
import type {} from 'fastify'
import type { AccessClaims } from './access-claims.ts'
import type { Guard } from './guard.ts'
import { nodeRequest } from './node/request.ts'
import { putFieldsLast } from './node/response.ts'
import { claimsOrThrow, type ProtectOptions, prepareNeeds, prepareScope } from './protect.ts'
import type { Refusal } from './refusal.ts'
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
export function protect(guard: Guard, options: ProtectOptions = {}): FastifyHook {
  const needs = prepareNeeds(options)
  return async (request, reply) => {
    const admission = await guard.check(nodeRequest(request.raw, request.originalUrl), needs)
    if (admission.type === 'refused') return sendRefusal(reply, admission)
    request.auth = admission.claims
    putFieldsLast(reply.raw, admission.headers)
  }
}

/** Lets on only tokens with every name of the scope: `{ onRequest: [protect(guard), requireScope('orders:write')] }`. */
export function requireScope(scope: Scope): FastifyHook {
  const refuse = prepareScope(scope)
  return async (request, reply) => {
    const refused = refuse(claimsOf(request))
    if (refused) return sendRefusal(reply, refused)
  }
}

/** The claims that `protect` has put on the request. Throws GuardError `not_protected` where it did not run. */
export function claimsOf(request: Pick<ProtectedRequest, 'auth'>): AccessClaims {
  return claimsOrThrow(request.auth)
}

function sendRefusal(reply: GuardedReply, refusal: Refusal): GuardedReply {
  reply.code(refusal.status)
  for (const [name, value] of refusal.headers) reply.header(name, value)
  reply.send(JSON.stringify(refusal.body))
  return reply
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The claims of the access token, behind `protect`. */
    auth?: AccessClaims | undefined
  }
}
