import { bindingOf, type ProofVerdict, targetUri } from '@mapae/guard/dpop'
import { AuthError } from '../auth-error.ts'
import type { Context } from '../context.ts'
import type { SentProof } from '../proofs.ts'
import type { Transport } from '../session.ts'
import { type AccessCredential, sentScheme } from './credentials.ts'
import type { Visit } from './visit.ts'

/** The proof of a request. Its origin is the configured one, whatever a proxy or the `Host` field says. */
export function sentProof(ctx: Context, { header, request }: Visit): SentProof {
  const uri = targetUri(ctx.settings.url, new URL(request.url).pathname)
  return { field: header('dpop'), method: request.method, uri }
}

/**
 * The key that a new session is to be bound to (RFC 9449 §5), by its thumbprint; undefined when no proof was sent. Refuses
 * with `invalid_dpop_proof` and `use_dpop_nonce` (400), and with `invalid_request` a proof with cookie delivery.
 */
export async function keyToBind(
  ctx: Context,
  visit: Visit,
  transport: Transport,
): Promise<string | undefined> {
  refuseProofWithCookies(visit, transport)
  const proof = sentProof(ctx, visit)
  if (proof.field === undefined) return undefined
  const verdict = await ctx.proofs.check(proof)
  if (verdict.type === 'proven') return verdict.jkt
  throw refusedProof(verdict)
}

/** No script can put a proof beside a cookie that it cannot see; who tries takes the session for safer than it is. */
export function refuseProofWithCookies({ header }: Visit, transport: Transport): void {
  if (transport === 'cookie' && header('dpop') !== undefined)
    throw new AuthError('invalid_request', 'A DPoP proof goes with header delivery, not with cookies.')
}

/**
 * Refuses an access token that its sender may not use (RFC 9449 §7): `invalid_token` for a bound one that came as Bearer or an
 * unbound one that came as DPoP, `invalid_dpop_proof` and `use_dpop_nonce` (401) for what is wrong with the proof.
 */
export async function requireHolder(
  ctx: Context,
  visit: Visit,
  credential: AccessCredential,
  cnf: unknown,
): Promise<void> {
  const binding = bindingOf(credential.scheme, cnf)
  if (binding.type === 'unbound') return
  if (binding.type === 'mismatch') throw new AuthError('invalid_token', binding.description)
  const proof = { ...sentProof(ctx, visit), accessToken: credential.token, jkt: binding.jkt }
  const verdict = await ctx.proofs.check(proof)
  if (verdict.type !== 'proven') throw refusedProof(verdict, { atResource: true })
}

/** With the members of RFC 6749 §5.2 too, which clients of OAuth look for. */
export function refusedProof(
  { type, description }: Pick<Exclude<ProofVerdict, { type: 'proven' }>, 'type' | 'description'>,
  { atResource = false }: { atResource?: boolean } = {},
): AuthError {
  const members = { error: type, error_description: description }
  return new AuthError(type, description, { members, atResource })
}

/** Gives a client that uses proofs the nonce for its next one, unless a cache could keep it (RFC 9449 §8.2). */
export function withNonce(ctx: Context, request: Request, response: Response): Response {
  const usesProofs = request.headers.has('dpop') || (mayBeDpop(request) && sentScheme(request) === 'DPoP')
  if (!usesProofs) return response
  const isCacheable = response.headers.get('cache-control')?.includes('public')
  if (!isCacheable) response.headers.set('dpop-nonce', ctx.proofs.nonce())
  return response
}

/** A look at the first letters, since every answer comes by here. */
function mayBeDpop(request: Request): boolean {
  return /^\s*dpop/i.test(request.headers.get('authorization') ?? '')
}
