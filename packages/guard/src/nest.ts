import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  applyDecorators,
  type CanActivate,
  createParamDecorator,
  type DynamicModule,
  type ExecutionContext,
  HttpException,
  Inject,
  Injectable,
  mixin,
  UseGuards,
} from '@nestjs/common'
import type { AccessClaims, Claims as ClaimsOfGuard } from './access-claims.ts'
import type { Guard } from './guard.ts'
import { GuardError } from './guard-error.ts'
import { prepareNeeds } from './needs.ts'
import { nodeRequest } from './node/request.ts'
import { putFieldsLast } from './node/response.ts'
import { claimsOrThrow, type Passage, type ProtectOptions, prepareCheck } from './protect.ts'
import type { Scope } from './scope.ts'

export { resourceMetadata } from './express.ts'

/** Under this token the application's guard is injected. */
export const MAPAE_GUARD: symbol = Symbol('mapae.guard')

/** Gives the whole application its guard: `imports: [MapaeModule.forRoot(guard)]`. */
// biome-ignore lint/complexity/noStaticOnlyClass: a module of Nest is a class
export class MapaeModule {
  static forRoot(guard: Guard): DynamicModule {
    const provider = { provide: MAPAE_GUARD, useValue: guard }
    return { module: MapaeModule, global: true, providers: [provider], exports: [MAPAE_GUARD] }
  }
}

/** What is used of a request: of Express, or of Fastify, which keeps Node's in `raw`. */
export type ProtectedRequest = (IncomingMessage | { readonly raw: IncomingMessage }) & {
  readonly originalUrl?: string
  auth?: AccessClaims | undefined
}

/**
 * Lets only admitted requests into a handler, or into all handlers of a controller, with the token's claims as `request.auth` and
 * through `@Claims()`. The guard's refusal is thrown as an HttpException, its header fields set. Where controller and handler
 * both say `@Auth`, both must be met. A renewed token goes out with the response. Works on Express and Fastify, over HTTP.
 *
 * @throws GuardError `options_invalid`, when the class is defined.
 */
export function Auth(options: ProtectOptions = {}): ClassDecorator & MethodDecorator {
  return applyDecorators(UseGuards(guardFor(options)))
}

/** `@Auth` with a scope. */
export function RequireScope(scope: Scope): ClassDecorator & MethodDecorator {
  return Auth({ scope })
}

/** `@Auth` with a role, or one of some. */
export function RequireRole(role: string | readonly string[]): ClassDecorator & MethodDecorator {
  return Auth({ role })
}

/** The claims of the request, behind `@Auth`: `orders(@Claims() claims: AccessClaims)`. */
export const Claims: () => ParameterDecorator = createParamDecorator(
  (_: unknown, context: ExecutionContext): AccessClaims | undefined =>
    context.switchToHttp().getRequest<ProtectedRequest>().auth,
)

/** The claims that `@Auth` has put on the request. Throws GuardError `not_protected` where it did not run. */
export function claimsOf(request: Pick<ProtectedRequest, 'auth'>): AccessClaims
/** As the guard has typed them. */
export function claimsOf<Own>(request: Pick<ProtectedRequest, 'auth'>, guard: Guard<Own>): ClaimsOfGuard<Own>
export function claimsOf(request: Pick<ProtectedRequest, 'auth'>, guard?: Guard): AccessClaims {
  return claimsOrThrow(request.auth, guard)
}

/** A guard of Nest is a class, of which Nest makes the object once it can give it the application's guard. */
function guardFor(options: ProtectOptions): new (guard: Guard) => CanActivate {
  prepareNeeds(options)
  const prepare = (guard: Guard) => prepareCheck(guard, options)
  class RouteGuard implements CanActivate {
    readonly #check: ReturnType<typeof prepare>
    constructor(guard: Guard) {
      this.#check = prepare(guard)
    }
    canActivate(context: ExecutionContext): boolean | Promise<boolean> {
      if (context.getType() !== 'http') throw new GuardError('not_protected', '@Auth is for HTTP requests.')
      // Asked for by their places: `switchToHttp` makes three functions a request.
      const exchange: Exchange = { request: context.getArgByIndex(0), response: context.getArgByIndex(1) }
      const { request } = exchange
      const raw = 'raw' in request ? request.raw : request
      const passage = this.#check(nodeRequest(raw, request.originalUrl ?? raw.url), request.auth)
      return 'type' in passage ? letOn(exchange, passage) : passage.then((later) => letOn(exchange, later))
    }
  }
  Inject(MAPAE_GUARD)(RouteGuard, undefined, 0)
  Injectable()(RouteGuard)
  return mixin(RouteGuard)
}

type Exchange = { readonly request: ProtectedRequest; readonly response: ServerResponse | Raw }

type Raw = { readonly raw: ServerResponse }

function letOn({ request, response }: Exchange, passage: Passage<unknown>): true {
  putFieldsLast(rawResponse(response), passage.headers)
  if (passage.type === 'refused') throw new HttpException(passage.body, passage.status)
  request.auth = passage.claims
  return true
}

function rawResponse(response: ServerResponse | Raw): ServerResponse {
  return 'raw' in response ? response.raw : response
}
