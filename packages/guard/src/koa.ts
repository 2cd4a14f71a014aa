import type { IncomingMessage, ServerResponse } from 'node:http'
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

/** What is used of a Koa context. */
export type GuardedContext = {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly originalUrl: string
  readonly method: string
  readonly state: { auth?: AccessClaims | undefined }
  status: number
  body: unknown
  set(name: string, value: string): void
}

/** A Koa 3 middleware, by its shape. */
export type KoaMiddleware = (context: GuardedContext, next: () => Promise<unknown>) => Promise<unknown>

/**
 * Lets only admitted requests on, with the token's claims as `ctx.state.auth`, and answers with the guard's refusal
 * otherwise: `app.use(protect(guard))`. A renewed token goes out with the response.
 *
 * @throws GuardError `options_invalid`, when the middleware is made.
 */
export function protect<Own>(guard: Guard<Own>, options: ProtectOptions = {}): KoaMiddleware {
  const check = prepareCheck(guard, options)
  return async (ctx, next) => {
    const checked = check(nodeRequest(ctx.req, ctx.originalUrl), ctx.state.auth)
    const passage = 'type' in checked ? checked : await checked
    if (passage.type === 'refused') return sendAnswer(ctx, passage)
    ctx.state.auth = passage.claims
    putFieldsLast(ctx.res, passage.headers)
    await next()
  }
}

/** Lets on only tokens with every name of the scope, behind `protect`. */
export function requireScope(scope: Scope): KoaMiddleware {
  return lettingOn(prepareScope(scope))
}

/** Lets on only accounts with one of the roles, behind `protect`. */
export function requireRole(role: string | readonly string[]): KoaMiddleware {
  return lettingOn(prepareRole(role))
}

/** Lets on only recent or strong logins (RFC 9470), behind `protect`: `requireStepUp(guard, { maxAge: 300 })`. */
export function requireStepUp(guard: Guard, login: StepUp): KoaMiddleware {
  return lettingOn(prepareStepUp(guard, login))
}

/** Serves what the API tells of itself (RFC 9728): `app.use(resourceMetadata(guard))`. Lets every other request on. */
export function resourceMetadata({ metadata }: Guard): KoaMiddleware {
  return async (ctx, next) => {
    const answer = answerMetadata(metadata, { method: ctx.method, url: ctx.originalUrl })
    return answer ? sendAnswer(ctx, answer) : next()
  }
}

/** The claims that `protect` has put on the context. Throws GuardError `not_protected` where it did not run. */
export function claimsOf(ctx: Pick<GuardedContext, 'state'>): AccessClaims
/** As the guard has typed them. */
export function claimsOf<Own>(ctx: Pick<GuardedContext, 'state'>, guard: Guard<Own>): Claims<Own>
export function claimsOf({ state }: Pick<GuardedContext, 'state'>, guard?: Guard): AccessClaims {
  return claimsOrThrow(state.auth, guard)
}

function lettingOn(judge: Judge): KoaMiddleware {
  return async (ctx, next) => {
    const refused = judge(claimsOf(ctx))
    return refused ? sendAnswer(ctx, refused) : next()
  }
}

function sendAnswer(ctx: GuardedContext, answer: Answer): void {
  ctx.status = answer.status
  for (const [name, value] of answer.headers) ctx.set(name, value)
  ctx.body = JSON.stringify(answer.body)
}
