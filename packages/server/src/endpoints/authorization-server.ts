import { proofAlgorithms } from '@mapae/guard/dpop'
import type { App } from '../app.ts'

/**
 * GET /.well-known/oauth-authorization-server: what clients and APIs have to know of this issuer (RFC 8414). There is no
 * OAuth endpoint yet, so that it names none: no grant and no response type can be had.
 */
export async function authorizationServerEndpoint({ ctx }: App): Promise<Response> {
  const { url } = ctx.settings
  const metadata = {
    issuer: url,
    jwks_uri: `${url}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: [],
    dpop_signing_alg_values_supported: proofAlgorithms,
  }
  return Response.json(metadata, {
    headers: {
      'cache-control': 'public, max-age=3600',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    },
  })
}
