import type { AccessClaims, Claims } from './access-claims.ts'
import { fetchRequest, putFields, responseOf } from './fetch/exchange.ts'
import type { Guard } from './guard.ts'
import {
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

export { fetchRequest } from './fetch/exchange.ts'

/** A handler of the Fetch API; `rest` is what its platform passes along, such as the `env` of a worker. */
export type FetchHandler<Auth, Rest extends readonly unknown[]> = (
  request: Request,
  auth: Auth,
  ...rest: Rest
) => Response | Promise<Response>

/**
 * Calls the handler for admitted requests only, with the token's claims, and answers with the guard's refusal otherwise:
 * `export default { fetch: protect(guard, (request, auth) => …) }`. A renewed token goes out with the response. Rejects with what
 * the handler throws; then the token does not go out, and the next request renews again.
 *
 * @throws GuardError `options_invalid`, when it is made.
 */
export function protect<Own, Rest extends readonly unknown[]>(
  guard: Guard<Own>,
  handler: FetchHandler<Claims<Own>, Rest>,
  options?: ProtectOptions & { readonly optional?: false | undefined },
): (request: Request, ...rest: Rest) => Promise<Response>
export function protect<Own, Rest extends readonly unknown[]>(
  guard: Guard<Own>,
  handler: FetchHandler<Claims<Own> | undefined, Rest>,
  options: ProtectOptions,
): (request: Request, ...rest: Rest) => Promise<Response>
export function protect<Own, Rest extends readonly unknown[]>(
  guard: Guard<Own>,
  handler: FetchHandler<Claims<Own>, Rest> & FetchHandler<Claims<Own> | undefined, Rest>,
  options: ProtectOptions = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  const check = prepareCheck(guard, options)
  return async (request, ...rest) => {
    const checked = check(fetchRequest(request))
    const passage = 'type' in checked ? checked : await checked
    if (passage.type === 'refused') return responseOf(passage)
    return putFields(await handler(request, passage.claims, ...rest), passage.headers)
  }
}

/** The response that refuses claims, or nothing. */
export type Requirement = (claims: AccessClaims) => Response | undefined

/** Refuses tokens without every name of the scope: `const refused = mayWrite(auth); if (refused) return refused`. */
export function requireScope(scope: Scope): Requirement {
  return refusing(prepareScope(scope))
}

/** Refuses accounts with none of the roles. */
export function requireRole(role: string | readonly string[]): Requirement {
  return refusing(prepareRole(role))
}

/** Refuses logins that are too old or too weak (RFC 9470): `requireStepUp(guard, { maxAge: 300 })`. */
export function requireStepUp(guard: Guard, login: StepUp): Requirement {
  return refusing(prepareStepUp(guard, login))
}

/** What the API tells of itself (RFC 9728), where the request asks for that; nothing for any other request. */
export function resourceMetadata({ metadata }: Guard): (request: Request) => Response | undefined {
  return (request) => {
    const answer = answerMetadata(metadata, request)
    return answer && responseOf(answer)
  }
}

function refusing(judge: Judge): Requirement {
  return (claims) => {
    const refused = judge(claims)
    return refused && responseOf(refused)
  }
}
