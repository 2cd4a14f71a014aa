import type { Context } from './context.ts'
import type { Delivery, Route } from './delivery.ts'
import type { Kept } from './kept.ts'
import { isPassing, MapaeError } from './mapae-error.ts'
import { retried } from './pause.ts'
import { type Replayable, replayable } from './replayable.ts'
import { transmit } from './transmit.ts'
import { unlessAborted } from './unless-aborted.ts'

/**
 * `fetch`, with the session's access token: renewed before it goes when the token is nearly over, and once after a 401 that says so.
 * Every other answer is passed through as it is. Safe methods (RFC 9110 §9.2.1) are sent again when no answer comes.
 *
 * Throws `MapaeError`: `session_ended`, `offline`, `server_away`, `target_not_allowed`, `body_not_replayable`.
 */
export async function authorizedFetch(
  delivery: Delivery,
  input: RequestInfo | URL,
  init?: RequestInit,
): Promise<Response> {
  const request = await replayable(delivery.ctx, input, init)
  requireTarget(delivery.ctx, request.url)
  return unlessAborted(request.init.signal, exchange(delivery, request))
}

async function exchange({ ctx, routeTo }: Delivery, request: Replayable): Promise<Response> {
  const route = await routeTo(request.url)
  const kept = await (route.byCookie ? route.line.ticket() : route.line.find())
  const response = await sent(ctx, request, route, kept)
  if (response.status !== 401 || !asksForRenewal(response, route, kept)) return response
  await response.body?.cancel()
  return sent(ctx, request, route, await route.line.after(kept))
}

/** Nobody gets the access token but those whom the app named. */
export function requireTarget({ targets }: Context, { origin }: URL): void {
  if (!targets.has(origin)) throw new MapaeError('target_not_allowed', `Not in apis: ${origin}`)
}

/** A challenge that cannot be read (a proxy or CORS took it away) may be this one. */
function asksForRenewal(response: Response, { byCookie }: Route, kept: Kept | undefined): boolean {
  if (!kept && !byCookie) return false
  const challenge = response.headers.get('www-authenticate')
  if (challenge === null) return kept !== undefined
  if (/\berror="?invalid_token\b/i.test(challenge)) return true
  // Without an error no token came: the browser has lost its cookie.
  return byCookie && kept !== undefined && !/\berror=/i.test(challenge)
}

async function sent(
  ctx: Context,
  { url, init }: Replayable,
  { byCookie }: Route,
  kept: Kept | undefined,
): Promise<Response> {
  const again = (error: unknown): error is MapaeError =>
    isPassing(error) && /^(GET|HEAD|OPTIONS)$/.test(init.method)
  const credential = byCookie ? {} : { access: kept?.access, jkt: kept?.jkt }
  return retried(ctx, () => transmit(ctx, url.href, init, credential), again)
}
