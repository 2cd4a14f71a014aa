import type { App } from '../app.ts'
import { AuthError } from '../auth-error.ts'
import { seconds } from '../clock.ts'
import { accessCredential, refreshCredential, requireTrustedPage } from '../http/credentials.ts'
import { privateJson } from '../http/private-json.ts'
import { refusedRenewal } from '../http/refused-renewal.ts'
import type { Visit } from '../http/visit.ts'
import { renewInline } from '../renewal.ts'

/**
 * POST /auth/token: an access token, for the memory of a page of an allowed origin that calls other APIs.
 * The session's cookies vouch for it; no generation is spent and the refresh token stays out of reach.
 */
export async function tokenEndpoint({ ctx, accessTokens }: App, visit: Visit): Promise<Response> {
  requireTrustedPage(ctx, visit)
  const refresh = refreshCredential(ctx, visit, undefined)
  if (!refresh) throw new AuthError('refresh_token_required')
  await ctx.clockCheck.refuseWhenSkewed()
  const outcome = await renewInline(ctx, accessTokens, {
    refreshToken: refresh.token,
    accessToken: accessCredential(ctx, visit)?.token,
    arrivedAt: visit.arrivedAt,
    from: visit.from,
  })
  if (outcome.type !== 'renewed') throw refusedRenewal(outcome)
  return privateJson({
    access_token: outcome.access.token,
    token_type: 'Bearer',
    expires_in: outcome.access.expiresIn,
    session_id: outcome.session.id,
    server_time: seconds(ctx.clock()),
  })
}
