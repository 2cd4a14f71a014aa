import type { App } from '../app.ts'
import type { Context } from '../context.ts'
import { JWKS_MAX_AGE, PUBLISH_AHEAD } from '../signing-keys.ts'

/** What a cache before the server keeps it for, in seconds: so much later all who verify have the key that replaces a withdrawn one. */
const SHARED_MAX_AGE = 10

/**
 * GET /.well-known/jwks.json: the public keys (RFC 7517 §5), for anybody. `as_of` (milliseconds) tells guards whether it is newer than what
 * they were told of a key.
 */
export async function jwksEndpoint({ ctx }: App): Promise<Response> {
  const { keys, asOf } = await ctx.signingKeys.published()
  return Response.json(
    { keys, as_of: asOf },
    {
      headers: {
        'content-type': 'application/jwk-set+json',
        'cache-control': cacheControl(ctx, asOf),
        'access-control-allow-origin': '*',
        'cross-origin-resource-policy': 'cross-origin',
      },
    },
  )
}

/** Nobody goes by a set that is older than the time for which keys are published before they sign. */
function cacheControl(ctx: Context, asOf: number): string {
  const left = Math.max(0, Math.floor((asOf + PUBLISH_AHEAD - ctx.clock()) / 1000))
  return `public, max-age=${Math.min(JWKS_MAX_AGE, left)}, s-maxage=${Math.min(SHARED_MAX_AGE, left)}`
}
