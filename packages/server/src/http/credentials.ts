import type { TokenScheme } from '@mapae/guard/dpop'
import { judgeOrigin, readAuthorization, readCookie } from '@mapae/guard/http'
import { AuthError } from '../auth-error.ts'
import type { Context } from '../context.ts'
import type { Transport } from '../session.ts'
import type { Arrival } from './visit.ts'

/** A credential and the way it came. */
export interface Credential {
  readonly token: string
  readonly by: Transport
}

export interface AccessCredential extends Credential {
  /** A cookie counts as Bearer: nothing is proved with it. */
  readonly scheme: TokenScheme
}

/** The access token of a request: the `Authorization` field wins over the cookie. */
export function accessCredential(ctx: Context, visit: Arrival): AccessCredential | undefined {
  const field = readAuthorization(visit.header('authorization'))
  if (field.type === 'malformed')
    throw new AuthError('invalid_request', 'The Authorization field is malformed.')
  if (field.type === 'token') return { token: field.token, by: 'header', scheme: field.scheme }
  const token = cookie(visit, ctx.cookieNames.access)
  return token === undefined ? undefined : { token, by: 'cookie', scheme: 'Bearer' }
}

/** The scheme of the `Authorization` field, when it holds an access token. */
export function sentScheme(request: Request): TokenScheme | undefined {
  const field = readAuthorization(request.headers.get('authorization') ?? undefined)
  return field.type === 'token' ? field.scheme : undefined
}

/** The refresh token of a request: the body's wins over the cookie. */
export function refreshCredential(
  ctx: Context,
  visit: Arrival,
  inBody: string | undefined,
): Credential | undefined {
  if (inBody !== undefined) return { token: inBody, by: 'header' }
  const token = cookie(visit, ctx.cookieNames.refresh)
  return token === undefined ? undefined : { token, by: 'cookie' }
}

/** Refuses a page that is not ours or allowed, for requests that no credential vouches for (login, register). */
export function requireTrustedPage(ctx: Context, visit: Arrival): void {
  if (pageVerdict(ctx, visit) === 'refused') throw new AuthError('origin_not_allowed')
}

/** The same for a credential that a browser attaches by itself; one that was sent on purpose needs no check. */
export function requireTrustedPageFor(
  ctx: Context,
  visit: Arrival,
  ...credentials: (Credential | undefined)[]
): void {
  if (credentials.some((credential) => credential?.by === 'cookie')) requireTrustedPage(ctx, visit)
}

/**
 * The same for pages and APIs, where only an unsafe method (RFC 9110 §9.2.1) can be forged to any use, and a
 * WebSocket: it opens with GET, and the page that opened it reads all that comes.
 */
export function requireTrustedPageForChange(
  ctx: Context,
  { arrival, method }: { arrival: Arrival; method: string },
  ...credentials: (Credential | undefined)[]
): void {
  const opensSocket = arrival.header('upgrade') !== undefined
  if (opensSocket || !SAFE.has(method)) requireTrustedPageFor(ctx, arrival, ...credentials)
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Cookies for what says that it is a browser, the answer's body for what does not, or brings a key to bind it to. */
export function defaultTransport(visit: Arrival): Transport {
  if (visit.header('dpop') !== undefined) return 'header'
  return visit.header('sec-fetch-site') !== undefined || visit.header('origin') !== undefined
    ? 'cookie'
    : 'header'
}

function pageVerdict(ctx: Context, visit: Arrival): ReturnType<typeof judgeOrigin> {
  return judgeOrigin({
    header: visit.header,
    ownOrigin: ctx.settings.url,
    allowedOrigins: ctx.settings.allowedOrigins,
    cookiesSent: visit.header('cookie') !== undefined,
  })
}

function cookie(visit: Arrival, name: string): string | undefined {
  const sent = readCookie(visit.header('cookie'), name)
  if (sent.type === 'repeated') throw new AuthError('repeated_cookie')
  return sent.type === 'value' && sent.value !== '' ? sent.value : undefined
}
