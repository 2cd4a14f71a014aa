import { createHash, timingSafeEqual } from 'node:crypto'
import { BEGINNING, type Place, readPlace } from '@mapae/guard/revocations'
import type { App } from '../app.ts'
import { AuthError } from '../auth-error.ts'
import type { Context } from '../context.ts'
import type { Visit } from '../http/visit.ts'

/**
 * GET /revocations: what was revoked, as signed security event tokens (RFC 8417). As server-sent events, resumed after `Last-Event-ID`;
 * with `?since=` as JSON, `{"sets": […]}`, for those who poll. Open to everybody, or to holders of `revocationFeed.token`.
 */
export async function revocationsEndpoint(
  { ctx, feed, guardNotes }: App,
  { request, header, from }: Visit,
): Promise<Response> {
  requireFeedToken(ctx, header('authorization'))
  const isKnown = ctx.settings.revocationFeed.token !== undefined
  await guardNotes.note(header('mapae-guard'), { isKnown, network: from.network })
  const since = new URL(request.url).searchParams.get('since')
  if (since !== null) return polled(ctx, await feed.page(requirePlace(since)))
  const after = readPlace(header('last-event-id') ?? '') ?? BEGINNING
  // Nobody would read, or let go of, the body of an answer to HEAD.
  const stream = request.method === 'HEAD' ? null : await feed.open({ after, network: from.network })
  return new Response(stream, {
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // What buffers answers, such as nginx, is told not to.
      'x-accel-buffering': 'no',
    },
  })
}

/** A cache in between may answer the many who ask at once. */
function polled({ settings }: Context, sets: readonly string[]): Response {
  const isOpen = settings.revocationFeed.token === undefined
  return Response.json(
    { sets },
    { headers: { 'cache-control': isOpen ? 'public, max-age=1' : 'no-store', vary: 'Mapae-Guard' } },
  )
}

function requireFeedToken({ settings }: Context, field: string | undefined): void {
  const { token } = settings.revocationFeed
  if (token === undefined) return
  if (field === undefined) throw new AuthError('token_required', 'The revocation feed needs its token.')
  if (!isEqual(field, `Bearer ${token}`))
    throw new AuthError('invalid_token', 'That is not the token of the revocation feed.')
}

function isEqual(one: string, other: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(one), hash(other))
}

function requirePlace(text: string): Place {
  const place = readPlace(text)
  if (!place) throw new AuthError('invalid_request', 'since must be the id of an event, or a number.')
  return place
}
