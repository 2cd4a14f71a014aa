import type { App } from '../app.ts'
import { JWKS_MAX_AGE } from '../signing-keys.ts'

/** GET /.well-known/jwks.json: the public keys (RFC 7517 §5), for anybody. */
export async function jwksEndpoint({ ctx }: App): Promise<Response> {
  return Response.json(await ctx.signingKeys.published(), {
    headers: {
      'content-type': 'application/jwk-set+json',
      'cache-control': `public, max-age=${JWKS_MAX_AGE}`,
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    },
  })
}
