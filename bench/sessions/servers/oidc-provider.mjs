// oidc-provider with everything in memory: a public client, refresh tokens that rotate, access tokens as ES256 JWTs for one
// resource, no ID token. What it is measured with is made by its own models, as an authorization code would have made it.
import { generateKeyPairSync } from 'node:crypto'
import Provider from 'oidc-provider'
import { serving, settings } from './serve.mjs'

const RESOURCE = 'https://api.example.com'
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const provider = new Provider('http://localhost', {
  adapter: memoryAdapter(),
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'measured' }] },
  clients: [
    {
      client_id: 'app',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: ['https://app.example.com/callback'],
      id_token_signed_response_alg: 'ES256',
    },
  ],
  rotateRefreshToken: true,
  scopes: ['offline_access', 'read', 'write'],
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'read write',
        audience: RESOURCE,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 300,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  ttl: { AccessToken: 300, RefreshToken: 86_400, Grant: 86_400 },
})

const client = await provider.Client.find('app')
const refreshTokens = []
for (let n = 0; n < settings.sessions; n++) {
  const grant = new provider.Grant({ accountId: `account-${n}`, clientId: 'app' })
  grant.addResourceScope(RESOURCE, 'read write')
  const token = new provider.RefreshToken({
    accountId: `account-${n}`,
    client,
    grantId: await grant.save(),
    gty: 'authorization_code',
    resource: RESOURCE,
    rotations: 0,
    scope: 'offline_access read write',
  })
  refreshTokens.push(await token.save())
}
const server = provider.listen(0, '127.0.0.1', () => serving({ port: server.address().port, refreshTokens }))

/** A Map for each kind; the library's own forgets all but 1,000 entries. */
function memoryAdapter() {
  const kinds = new Map()
  return class {
    constructor(name) {
      if (!kinds.has(name)) kinds.set(name, new Map())
      this.rows = kinds.get(name)
    }
    async upsert(id, payload) {
      this.rows.set(id, payload)
    }
    async find(id) {
      return this.rows.get(id)
    }
    async consume(id) {
      this.rows.get(id).consumed = Math.floor(Date.now() / 1000)
    }
    async destroy(id) {
      this.rows.delete(id)
    }
    async revokeByGrantId() {}
  }
}
