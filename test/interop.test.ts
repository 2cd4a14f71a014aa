import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastifyJwt, { type TokenOrHeader } from '@fastify/jwt'
import { getRequestListener } from '@hono/node-server'
import { createGuard } from '@mapae/guard'
import { createRemoteJwkSet, exportJwk, generateKey } from '@mapae/jwt'
import { type Auth, createAuth } from '@mapae/server'
import express from 'express'
import { auth as expressBearer } from 'express-oauth2-jwt-bearer'
import fastify, { type FastifyRequest } from 'fastify'
import { Hono } from 'hono'
import { jwk } from 'hono/jwk'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import JwksClient from 'jwks-rsa'
import Provider from 'oidc-provider'
import * as openidClient from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { databases, type TestDatabase } from '../test-support/databases.ts'

// Tokens of Mapae under other people's verifiers, and guards of Mapae under other people's tokens: over real sockets.

const servers: Server[] = []
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  }
})

async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, 'localhost', done))
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

describe('a token of Mapae', () => {
  let database: TestDatabase
  let auth: Auth
  let url: string
  let token: string
  let forged: string
  beforeAll(async () => {
    database = await openSqlite()
    let answer: RequestListener = () => {}
    url = await listening((request, response) => answer(request, response))
    auth = createAuth({ url, secret: 'a server secret for tests, 32 characters', database: database.url })
    answer = getRequestListener((request) => auth.fetch(request))
    token = await register(url)
    forged = `${token.slice(0, token.lastIndexOf('.') + 1)}${Buffer.alloc(64, 1).toString('base64url')}`
  })
  afterAll(async () => {
    await auth.close()
    await database.close()
  })

  test('is verified by jose with the remote key set', async () => {
    const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`))
    const rules = { issuer: url, audience: url, typ: 'at+jwt' }
    const { payload } = await jwtVerify(token, keys, rules)
    expect(payload).toMatchObject({ iss: url, aud: url, client_id: 'first-party' })
    await expect(jwtVerify(forged, keys, rules)).rejects.toThrow('signature verification failed')
  })

  test('is verified by jsonwebtoken with jwks-rsa', async () => {
    const client = JwksClient({ jwksUri: `${url}/.well-known/jwks.json` })
    const { header } = jsonwebtoken.decode(token, { complete: true }) ?? {}
    const key = (await client.getSigningKey(header?.kid)).getPublicKey()
    const rules = { issuer: url, audience: url, algorithms: ['ES256' as const] }
    expect(jsonwebtoken.verify(token, key, rules)).toMatchObject({ client_id: 'first-party' })
    expect(() => jsonwebtoken.verify(forged, key, rules)).toThrow('invalid signature')
  })

  test('is let in by express-oauth2-jwt-bearer, which finds the keys by the metadata', async () => {
    const app = express()
    app.use(
      expressBearer({
        issuerBaseURL: `${url}/.well-known/oauth-authorization-server`,
        audience: url,
        strict: true,
      }),
    )
    app.get('/', (request, response) => void response.json(request.auth))
    app.use(((error, _, response, __) => response.status(error.status).end()) as express.ErrorRequestHandler)
    await isLetIn(await listening(app))
  })

  test('is let in by @fastify/jwt with the key of the set', async () => {
    const app = fastify()
    const client = JwksClient({ jwksUri: `${url}/.well-known/jwks.json` })
    await app.register(fastifyJwt, {
      decode: { complete: true },
      secret: async (_: FastifyRequest, sent: TokenOrHeader) => {
        const { kid } = 'header' in sent ? sent.header : sent
        return (await client.getSigningKey(kid)).getPublicKey()
      },
      verify: { algorithms: ['ES256'], allowedIss: url, allowedAud: url },
    })
    app.get('/', { onRequest: (request) => request.jwtVerify() }, async () => ({}))
    await app.listen({ port: 0, host: 'localhost' })
    await isLetIn(`http://localhost:${(app.server.address() as AddressInfo).port}`)
    await app.close()
  })

  test("is let in by hono's jwk", async () => {
    const app = new Hono()
    const verification = { iss: url, aud: url, typ: 'at+jwt' }
    app.use(jwk({ jwks_uri: `${url}/.well-known/jwks.json`, alg: ['ES256'], verification }))
    app.get('/', (c) => c.json({}))
    await isLetIn(await listening(getRequestListener(app.fetch)))
  })

  test('comes from an issuer that openid-client finds by RFC 8414', async () => {
    const found = await openidClient.discovery(new URL(url), 'app', undefined, undefined, {
      algorithm: 'oauth2',
      execute: [openidClient.allowInsecureRequests],
    })
    expect(found.serverMetadata()).toEqual(
      expect.objectContaining({ issuer: url, jwks_uri: `${url}/.well-known/jwks.json` }),
    )
    expect(found.serverMetadata()).not.toHaveProperty('token_endpoint')
  })

  test('is admitted by a guard that was told to discover', async () => {
    const guard = createGuard({ issuer: url, discovery: true })
    expect(await guard.check(bearer(token))).toMatchObject({ type: 'admitted' })
    expect(await guard.check(bearer(forged))).toMatchObject({ status: 401 })
  })

  async function isLetIn(api: string) {
    const ask = (sent: string) => fetch(api, { headers: { authorization: `Bearer ${sent}` } })
    expect((await ask(token)).status).toBe(200)
    expect((await ask(forged)).status).toBe(401)
  }
})

describe('a guard before an API of oidc-provider', () => {
  const api = 'https://api.example'
  let issuer: string
  let token: string
  beforeAll(async () => {
    let answer: RequestListener = () => {}
    issuer = await listening((request, response) => answer(request, response))
    answer = startProvider(issuer, api).callback()
    const config = await openidClient.discovery(
      new URL(issuer),
      'machine',
      'a secret of the client for tests',
      undefined,
      { execute: [openidClient.allowInsecureRequests] },
    )
    token = (await openidClient.clientCredentialsGrant(config, { resource: api, scope: 'orders:read' }))
      .access_token
  })

  test('admits its tokens, given its address', async () => {
    const guard = createGuard({ issuer, discovery: true, audience: api })
    const admission = await guard.check(bearer(token), { scope: 'orders:read' })
    expect(admission).toMatchObject({
      type: 'admitted',
      claims: { iss: issuer, aud: api, sub: 'machine', client_id: 'machine', scope: 'orders:read' },
    })
  })

  test('refuses those for another API, and says 503 where the issuer is not the one that it names', async () => {
    const other = createGuard({ issuer, discovery: true, audience: 'https://other.example' })
    expect(await other.check(bearer(token))).toMatchObject({ status: 401 })
    const misnamed = createGuard({ issuer: `${issuer}/`, discovery: true, audience: api })
    expect(await misnamed.check(bearer(token))).toMatchObject({
      status: 503,
      body: { code: 'keys_unavailable' },
    })
  })

  test('does not find its keys without discovery', async () => {
    const guard = createGuard({ issuer, audience: api })
    expect(await guard.check(bearer(token))).toMatchObject({ status: 503 })
    const keys = createRemoteJwkSet(`${issuer}/jwks`)
    expect(await createGuard({ issuer, keys, audience: api }).check(bearer(token))).toMatchObject({
      type: 'admitted',
    })
    expect(() => createGuard({ issuer, keys, discovery: true })).toThrow(/one or the other/)
  })
})

function bearer(token: string) {
  const fields: Record<string, string> = { authorization: `Bearer ${token}` }
  return { method: 'GET', url: '/orders', header: (name: string) => fields[name] }
}

async function register(url: string): Promise<string> {
  const response = await fetch(`${url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'me@example.com', password: 'correct horse battery' }),
  })
  const { access_token: token } = (await response.json()) as { access_token: string }
  return token
}

function openSqlite(): Promise<TestDatabase> {
  const sqlite = databases.find(({ name }) => name === 'sqlite')
  if (!sqlite) throw new Error('no SQLite')
  return sqlite.open()
}

function startProvider(issuer: string, api: string): Provider {
  const key = exportJwk(generateKey('RS256'), { dangerouslyIncludePrivate: true })
  const resource = {
    scope: 'orders:read',
    audience: api,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'RS256' } },
  } as const
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...key, use: 'sig' }] },
    clients: [
      {
        client_id: 'machine',
        client_secret: 'a secret of the client for tests',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: { enabled: true, getResourceServerInfo: async () => resource },
    },
  })
  return provider
}
