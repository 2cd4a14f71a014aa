import type { AccessToken } from '../access-token.ts'
import { seconds } from '../clock.ts'
import type { Context } from '../context.ts'
import { DEVICE_KNOWN_FOR } from '../known-device.ts'
import type { Tokens, Transport } from '../session.ts'
import { deviceCookieName } from './device.ts'

/**
 * Hands out both tokens (design: delivery). By `header` they are in the body, named as in RFC 6749 §5.1,
 * and the access token is in the `Authorization` field as well (M3, step 14). By `cookie` no script can
 * read them: they are in HttpOnly cookies and nowhere else.
 */
export function deliverTokens(
  ctx: Context,
  tokens: Tokens,
  { transport, status = 200, body = {}, deviceToken }: Delivery,
): Response {
  const scheme = tokens.access.claims['cnf'] === undefined ? 'Bearer' : 'DPoP'
  const shared = {
    ...body,
    token_type: scheme,
    expires_in: tokens.access.expiresIn,
    refresh_expires_in: seconds(tokens.idleExpiresAt - ctx.clock()),
    session_id: tokens.sessionId,
    server_time: seconds(ctx.clock()),
    ...(tokens.access.claims['scope'] !== undefined && { scope: tokens.access.claims['scope'] }),
  }
  const headers = new Headers({ 'cache-control': 'no-store' })
  if (transport === 'header') {
    headers.set('authorization', `${scheme} ${tokens.access.token}`)
    const both = { access_token: tokens.access.token, refresh_token: tokens.refreshToken }
    const device = deviceToken === undefined ? {} : { device_token: deviceToken }
    return Response.json({ ...shared, ...both, ...device }, { status, headers })
  }
  headers.append('set-cookie', accessCookie(ctx, tokens.access, tokens))
  headers.append(
    'set-cookie',
    setCookie(ctx, ctx.cookieNames.refresh, tokens.refreshToken, cookieLife(ctx, tokens)),
  )
  if (deviceToken !== undefined) headers.append('set-cookie', deviceCookie(ctx, deviceToken, tokens))
  return Response.json(shared, { status, headers })
}

interface Delivery {
  readonly transport: Transport
  readonly status?: number
  readonly body?: object
  /** Handed out beside the two, the same way. */
  readonly deviceToken?: string
}

/** Outlives the session: it is for the next login. Of a session that is not remembered the browser forgets it too. */
export function deviceCookie(
  ctx: Context,
  deviceToken: string,
  { remembered }: Kept = { remembered: 1 },
): string {
  return setCookie(ctx, deviceCookieName(ctx), deviceToken, remembered === 1 ? DEVICE_KNOWN_FOR : undefined)
}

/** The cookie outlives the token in it, so that an expired one can be sent along (M3, step 12). */
export function accessCookie(ctx: Context, access: AccessToken, session: Kept): string {
  return setCookie(ctx, ctx.cookieNames.access, access.token, cookieLife(ctx, session))
}

/** Takes both cookies back: when the person ends the session or the account here, and nowhere else. */
export function clearCookies(ctx: Context): string[] {
  return [ctx.cookieNames.access, ctx.cookieNames.refresh].map((name) => setCookie(ctx, name, '', 0))
}

type Kept = Pick<Tokens, 'remembered'>

/**
 * Seconds: as long as any session can last. Its idle end moves out with each use, also where no refresh cookie is set
 * again (inline renewal), and whoever comes too late shall hear why. Undefined for a session that is not remembered: the
 * browser forgets its cookies when it closes.
 */
function cookieLife(ctx: Context, { remembered }: Kept): number | undefined {
  return remembered === 1 ? ctx.settings.sessionLifetime : undefined
}

function setCookie(ctx: Context, name: string, value: string, maxAge: number | undefined): string {
  const life = maxAge === undefined ? '' : `; Max-Age=${maxAge}`
  const secure = ctx.settings.url.startsWith('https:') ? '; Secure' : ''
  const domain = ctx.settings.dangerousCookieDomain ? `; Domain=${ctx.settings.dangerousCookieDomain}` : ''
  return `${name}=${value}; Path=/${life}; HttpOnly; SameSite=Lax${secure}${domain}`
}
