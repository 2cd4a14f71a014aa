import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AccessClaims, Renew } from '@mapae/guard'
import { createJwkSet, createSigner, createVerifier, generateKey, type JwtClaims, type Key } from '@mapae/jwt'

/** A moment in 2026, in milliseconds. */
export const start = 1_790_000_000_000

export type Issuer = Awaited<ReturnType<typeof startIssuer>>

/** An auth server in small: a real JWK Set on a free loopback port, and tokens signed with its key. */
export async function startIssuer() {
  const key = generateKey('ES256')
  const state = { now: start, status: 200, fetches: 0 }
  const body = JSON.stringify(createJwkSet([key]))
  const server = createServer((request, response) => {
    const isKeySet = request.url === '/.well-known/jwks.json'
    if (isKeySet) state.fetches += 1
    response.statusCode = isKeySet ? state.status : 404
    response.setHeader('content-type', 'application/json')
    response.end(body)
  })
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening))
  const { port } = server.address() as AddressInfo
  const url = `http://localhost:${port}`
  return {
    url,
    key,
    state,
    clock: () => state.now,
    cookie: `mapae_access_${port}`,
    refreshCookie: `mapae_refresh_${port}`,
    claims: (changes: JwtClaims = {}) => ({ ...claimsOf({ url, now: state.now }), ...changes }),
    token(changes: JwtClaims = {}, by: { key?: Key; typ?: string } = {}) {
      const sign = createSigner({ key: by.key ?? key, typ: by.typ ?? 'at+jwt' })
      return sign(this.claims(changes))
    },
    close: () => new Promise((closed) => server.close(closed)),
  }
}

function claimsOf({ url, now }: { url: string; now: number }): AccessClaims {
  const iat = now / 1000
  const session = { sid: 'session-1', epoch: 0, client_id: 'mapae' }
  return {
    iss: url,
    aud: url,
    sub: 'account-1',
    jti: 'token-1',
    ...session,
    iat,
    exp: iat + 300,
    scope: 'orders:read',
  }
}

/** Renews as the server does: from an authentic access token, expired or not, and the refresh cookie of one account. */
export function renewalOf(issuer: Issuer) {
  const calls: string[] = []
  const verify = createVerifier({
    keys: issuer.key,
    issuer: issuer.url,
    audience: issuer.url,
    typ: 'at+jwt',
    dangerouslyIgnoreTimes: true,
  })
  const renew: Renew = async (request) => {
    const refresh = request.header('cookie')?.match(`${issuer.refreshCookie}=([^;]*)`)?.[1]
    calls.push(refresh ?? '')
    const sent = request.header('authorization') ?? request.header('cookie') ?? ''
    const { sub } = verify(/[\w-]+\.[\w-]+\.[\w-]+/.exec(sent)?.[0] ?? '').claims
    switch (refresh) {
      case undefined:
        return { type: 'not-applicable' }
      case 'good':
        return renewed(issuer, sub)
      case 'busy':
        return { type: 'refused', status: 503, code: 'database_unavailable', description: 'Try again.' }
      case 'broken':
        throw new Error('secret detail')
      case 'odd':
        return { type: 'refused', status: 400, code: 'invalid_request', description: 'That is no token.' }
      default:
        return { type: 'refused', status: 401, code: 'session_ended', description: 'The session has ended.' }
    }
  }
  return { renew, calls }
}

function renewed(issuer: Issuer, sub: string | undefined) {
  const changes = { sub, jti: 'token-2' }
  const accessToken = issuer.token(changes)
  return {
    type: 'renewed',
    accessToken,
    claims: issuer.claims(changes) as AccessClaims,
    headers: [
      ['Authorization', `Bearer ${accessToken}`],
      ['Set-Cookie', `${issuer.cookie}=${accessToken}; Path=/; HttpOnly`],
      ['Cache-Control', 'private, no-store'],
    ],
  } as const
}
