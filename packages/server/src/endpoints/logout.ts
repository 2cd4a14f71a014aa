import type { App } from '../app.ts'
import { readBody } from '../http/body.ts'
import {
  type AccessCredential,
  accessCredential,
  type Credential,
  refreshCredential,
  requireTrustedPage,
  requireTrustedPageFor,
} from '../http/credentials.ts'
import { clearCookies } from '../http/deliver.ts'
import { requireHolder } from '../http/proof.ts'
import type { Visit } from '../http/visit.ts'
import { authenticSession } from '../renewal.ts'
import { endSession, type SessionRecord, sessionById } from '../session.ts'
import { refreshBody } from './refresh.ts'

/**
 * POST /auth/logout: 204, however often. A refresh token of the session, of any generation, or an access
 * token in date ends it; whoever has neither has nothing to end.
 *
 * An access token that is bound to a key goes to every API, and needs its proof here too. The refresh token needs none
 * (as in RFC 7009): a device that lost its key can still log out, and a thief without the key can do no more than end the
 * session that was stolen from.
 */
export async function logoutEndpoint(app: App, visit: Visit): Promise<Response> {
  const { ctx } = app
  const body = await readBody(visit, refreshBody)
  const refresh = refreshCredential(ctx, visit, body.refresh_token)
  const access = accessCredential(ctx, visit)
  // Without a credential nothing vouches for the page, and a foreign one must not take the cookies away.
  if (!refresh && !access) requireTrustedPage(ctx, visit)
  requireTrustedPageFor(ctx, visit, refresh, access)
  const session = await sessionOf(app, visit, { refresh, access })
  if (session) await endSession(ctx, session, { reason: 'logout', source: visit.from })
  const headers = new Headers({ 'cache-control': 'no-store' })
  for (const cookie of clearCookies(ctx)) headers.append('set-cookie', cookie)
  return new Response(null, { status: 204, headers })
}

async function sessionOf(
  { ctx, accessTokens }: App,
  visit: Visit,
  { refresh, access }: { refresh: Credential | undefined; access: AccessCredential | undefined },
): Promise<SessionRecord | undefined> {
  const byRefresh = refresh && (await authenticSession(ctx, refresh.token))
  if (byRefresh || !access) return byRefresh
  const check = await accessTokens.check(access.token)
  if (check.type !== 'valid') return undefined
  await requireHolder(ctx, visit, access, check.claims['cnf'])
  const session = await sessionById(ctx, check.claims.sid)
  return session?.accountId === check.claims.sub ? session : undefined
}
