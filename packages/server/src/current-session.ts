import type { AccessTokenClaims } from './access-token.ts'
import { findUser, type User, userOf } from './account.ts'
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
import { findSessionUser } from './store/session-user.ts'
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
  app: App,
  visit: Visit,
  credential: AccessCredential | undefined,
): Promise<CurrentSession> {
  const claims = await provenClaims(app, visit, credential)
  const session = requireCurrent(await findSession(app.ctx.store.db, claims.sid), claims, visit)
  return { claims, session }
}

/** The user whom the access token names (M2, step 5), by one look into the database; refuses as {@link requireSession} does. */
export async function requireUser(app: App, visit: Visit): Promise<User> {
  const credential = accessCredential(app.ctx, visit)
  requireTrustedPageFor(app.ctx, visit, credential)
  return (await proveUser(app, visit, credential)).user
}

/** The same for a credential that was looked at, with the session. */
export async function proveUser(
  app: App,
  visit: Visit,
  credential: AccessCredential | undefined,
): Promise<{ readonly user: User; readonly sessionId: string }> {
  const claims = await provenClaims(app, visit, credential)
  const found = await findSessionUser(app.ctx.store.db, claims.sid)
  const session = requireCurrent(found.session, claims, visit)
  if (session.deletedAt !== null) throw new AuthError('invalid_token', 'The account is not known.')
  return { user: userOf(session, found.identifiers), sessionId: claims.sid }
}

/** What an access token says that is ours, in date, and in the hands of whom it was given to. */
async function provenClaims(
  { ctx, accessTokens }: App,
  visit: Visit,
  credential: AccessCredential | undefined,
): Promise<AccessTokenClaims> {
  if (!credential) throw new AuthError('token_required')
  const check = await accessTokens.check(credential.token)
  if (check.type === 'withdrawn')
    throw new AuthError('invalid_token', 'The key that signed the access token was withdrawn.')
  if (check.type === 'invalid') throw new AuthError('invalid_token', check.description)
  await requireHolder(ctx, visit, credential, check.claims['cnf'])
  return check.claims
}

/** The row of the session that the claims name, unless it has ended or its account's epoch has moved on. */
function requireCurrent<Row extends Judged>(
  session: Row | undefined,
  claims: AccessTokenClaims,
  { arrivedAt }: Visit,
): Row {
  if (!session || session.accountId !== claims.sub)
    throw new AuthError('invalid_token', 'The session is not known.')
  const reason = whyEnded(session, arrivedAt)
  if (reason) throw sessionEnded(reason)
  if (claims.epoch < session.epoch)
    throw new AuthError('invalid_token', 'The access token was replaced; renew it.')
  return session
}

type Judged = Parameters<typeof whyEnded>[0] & Pick<SessionRecord, 'accountId' | 'epoch'>

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
export async function currentUser(app: App, { session }: CurrentSession): Promise<User> {
  const user = await findUser(app.ctx, session.accountId)
  if (!user) throw new AuthError('invalid_token', 'The account is not known.')
  return user
}
