import type { Context } from './context.ts'
import type { Delivery } from './delivery.ts'
import type { Kept } from './kept.ts'
import type { Line } from './line.ts'
import { isPassing, MapaeError } from './mapae-error.ts'
import { retried } from './pause.ts'
import { type Replayable, replayable } from './replayable.ts'
import { transmit } from './transmit.ts'
import { unlessAborted } from './unless-aborted.ts'

/**
 * `fetch`, with the session's access token: renewed before it goes when the token is nearly over, and once after a 401 that says so.
 * Every other answer is passed through as it is. Safe methods (RFC 9110 §9.2.1) are sent again when no answer comes.
 *
 * Throws `MapaeError`: `session_ended`, `offline`, `server_away`, `target_not_allowed`, `body_not_replayable`, `redirected`.
 */
export async function authorizedFetch(
  delivery: Delivery,
  input: RequestInfo | URL,
  init?: RequestInit,
): Promise<Response> {
  const request = await replayable(delivery.ctx, input, init)
  requireTarget(delivery.ctx, request.url)
  const answer = delivery.lineTo(request.url).then((line) => exchange(line, request))
  return unlessAborted(request.init.signal, answer)
}

async function exchange(line: Line, request: Replayable): Promise<Response> {
  const kept = await (line.byCookie ? line.ticket() : line.find())
  const response = await sent(line, request, kept)
  if (response.status !== 401 || !asksForRenewal(response, line, kept)) return response
  await response.body?.cancel()
  return sent(line, request, await line.after(kept))
}

/** Nobody gets the access token but those whom the app named. */
export function requireTarget({ targets }: Context, { origin }: URL): void {
  if (!targets.has(origin)) throw new MapaeError('target_not_allowed', `Not in apis: ${origin}`)
}

/**
 * A challenge that cannot be read (a proxy or CORS took it away) may be this one; and one without an error says that no token came: the browser
 * has lost its cookie.
 */
function asksForRenewal(response: Response, { byCookie }: Line, kept: Kept | undefined): boolean {
  const challenge = response.headers.get('www-authenticate')
  if (challenge && /\berror="?invalid_token\b/i.test(challenge)) return byCookie || kept !== undefined
  return kept !== undefined && (challenge === null || (byCookie && !/\berror=/i.test(challenge)))
}

/** With cookies there is no token in the record. */
function sent({ ctx }: Line, { url, init }: Replayable, kept: Kept | undefined): Promise<Response> {
  const again = (error: unknown): error is MapaeError =>
    isPassing(error) && /^(GET|HEAD|OPTIONS)$/.test(init.method)
  return retried(ctx, () => transmit(ctx, url.href, init, kept ?? {}), again)
}
