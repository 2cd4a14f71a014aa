import type { Renew, Renewal } from '@mapae/guard'
import type { App } from './app.ts'
import { AuthError, type RefusalCode, refusals } from './auth-error.ts'
import type { Context } from './context.ts'
import {
  accessCredential,
  type Credential,
  refreshCredential,
  requireTrustedPageForChange,
} from './http/credentials.ts'
import { accessCookie } from './http/deliver.ts'
import { refusedRenewal } from './http/refused-renewal.ts'
import { type Arrival, arrival } from './http/visit.ts'
import { renewInline } from './renewal.ts'
import { StoreError } from './store/store-error.ts'

/** Where a client without cookies may send its refresh token along with an API request (M3, step 12). */
const REFRESH_FIELD = 'mapae-refresh-token'

/**
 * `auth.renew`: for a guard in the auth server's own process. Checks both tokens of an API request and
 * mints a new access token without spending a generation, so that the request can go on (M3, step 14).
 */
export function createInlineRenewal(app: App): Renew {
  return async (request) => {
    try {
      await app.ctx.ready()
      return await renew(
        app,
        arrival(app.ctx, (name) => request.header(name)),
        request.method,
      )
    } catch (thrown) {
      return refusal(app, thrown)
    }
  }
}

async function renew(app: App, visit: Arrival, method: string): Promise<Renewal> {
  const { ctx, accessTokens } = app
  const refresh = sentRefreshToken(app, visit)
  if (!refresh) return { type: 'not-applicable' }
  const access = accessCredential(ctx, visit)
  requireTrustedPageForChange(ctx, { arrival: visit, method }, refresh, access)
  await ctx.clockCheck.refuseWhenSkewed()

  const { arrivedAt, from } = visit
  const request = { refreshToken: refresh.token, accessToken: access?.token, arrivedAt, from }
  const outcome = await renewInline(ctx, accessTokens, request)
  if (outcome.type !== 'renewed') throw refusedRenewal(outcome)

  const { token, claims } = outcome.access
  const cookie: [string, string][] =
    access?.by === 'cookie' ? [['set-cookie', accessCookie(ctx, outcome.access, outcome.session)]] : []
  const headers: [string, string][] = [
    ['authorization', `Bearer ${token}`],
    ['cache-control', 'private, no-store'],
    ...cookie,
  ]
  return { type: 'renewed', accessToken: token, claims, headers }
}

function sentRefreshToken({ ctx }: App, visit: Arrival): Credential | undefined {
  return refreshCredential(ctx, visit, visit.header(REFRESH_FIELD))
}

function refusal({ ctx }: App, thrown: unknown): Renewal {
  if (thrown instanceof AuthError && thrown.code !== 'options_invalid') {
    const { status } = refusals[thrown.code]
    if (status === 400 || status === 401 || status === 403) {
      return { type: 'refused', status, code: thrown.code, description: thrown.message }
    }
    if (status === 500) return broken(ctx, thrown, thrown.code)
    return { type: 'refused', status: 503, code: thrown.code, description: thrown.message }
  }
  return broken(ctx, thrown, thrown instanceof StoreError ? 'store_unavailable' : 'internal_error')
}

/** What went wrong is for the log; the API request is told that it may try again. */
function broken(ctx: Context, error: unknown, code: RefusalCode): Renewal {
  ctx.emit({ type: 'error', at: ctx.clock(), error })
  return { type: 'refused', status: 503, code, description: refusals[code].title }
}
