import type { AccessTokenClaims } from './access-token.ts'
import { findUser, type User } from './account.ts'
import type { App } from './app.ts'
import { AuthError } from './auth-error.ts'
import {
  type AccessCredential,
  accessCredential,
  refreshCredential,
  requireTrustedPageFor,
} from './http/credentials.ts'
import { requireHolder } from './http/proof.ts'
import type { Visit } from './http/visit.ts'
import { renewInline } from './renewal.ts'
import { sessionEnded } from './session-ended.ts'
import { whyEnded } from './session-rules.ts'
import { findSession, type SessionRecord } from './store/sessions.ts'

/** Who is asking: the session that the access token belongs to, as the database has it now. */
export interface CurrentSession {
  readonly claims: AccessTokenClaims
  readonly session: SessionRecord
}

/**
 * Admits a request to the auth server's own endpoints (M2, step 5). Unlike a guard it looks into the
 * database: a session that has ended is refused at once, with its reason.
 *
 * Refuses with `token_required`, `invalid_token`, `invalid_dpop_proof`, `use_dpop_nonce` or `session_ended` (401),
 * `origin_not_allowed` (403).
 */
export async function requireSession(app: App, visit: Visit): Promise<CurrentSession> {
  const credential = accessCredential(app.ctx, visit)
  requireTrustedPageFor(app.ctx, visit, credential)
  return proveSession(app, visit, credential)
}

/** The session that an access token, in date and ours, stands for; refuses as {@link requireSession} does. */
export async function proveSession(
  { ctx, accessTokens }: App,
  visit: Visit,
  credential: AccessCredential | undefined,
): Promise<CurrentSession> {
  if (!credential) throw new AuthError('token_required')
  const check = await accessTokens.check(credential.token)
  if (check.type === 'withdrawn')
    throw new AuthError('invalid_token', 'The key that signed the access token was withdrawn.')
  if (check.type === 'invalid') throw new AuthError('invalid_token', check.description)

  const { claims } = check
  await requireHolder(ctx, visit, credential, claims['cnf'])
  const session = await findSession(ctx.store.db, claims.sid)
  if (!session || session.accountId !== claims.sub)
    throw new AuthError('invalid_token', 'The session is not known.')
  const reason = whyEnded(session, visit.arrivedAt)
  if (reason) throw sessionEnded(reason)
  if (claims.epoch < session.epoch)
    throw new AuthError('invalid_token', 'The access token was replaced; renew it.')
  return { claims, session }
}

/** Whose cookies a page's request came with: an access token that has expired will do, beside its refresh token. */
export async function accountOfCookies(
  { ctx, accessTokens }: App,
  visit: Visit,
): Promise<string | undefined> {
  const refreshToken = refreshCredential(ctx, visit, undefined)?.token
  if (refreshToken === undefined) return undefined
  const accessToken = accessCredential(ctx, visit)?.token
  const { arrivedAt, from } = visit
  const outcome = await renewInline(ctx, accessTokens, { refreshToken, accessToken, arrivedAt, from })
  return outcome.type === 'renewed' ? outcome.session.accountId : undefined
}

/** The user of a current session. */
export async function currentUser(app: App, { claims }: CurrentSession): Promise<User> {
  const user = await findUser(app.ctx, claims.sub)
  if (!user) throw new AuthError('invalid_token', 'The account is not known.')
  return user
}
