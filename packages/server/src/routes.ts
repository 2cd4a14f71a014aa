import { Hono } from 'hono'
import type { App } from './app.ts'
import { AuthError, type RefusalCode } from './auth-error.ts'
import { healthzEndpoint, readyzEndpoint } from './endpoints/health.ts'
import { jwksEndpoint } from './endpoints/jwks.ts'
import { loginBody, loginEndpoint } from './endpoints/login.ts'
import { logoutEndpoint } from './endpoints/logout.ts'
import { meEndpoint } from './endpoints/me.ts'
import { refreshBody, refreshEndpoint } from './endpoints/refresh.ts'
import { registerBody, registerEndpoint } from './endpoints/register.ts'
import { endOtherSessionsEndpoint, endSessionEndpoint, listSessionsEndpoint } from './endpoints/sessions.ts'
import { startPageEndpoint } from './endpoints/start-page.ts'
import { tokenEndpoint } from './endpoints/token.ts'
import { preflight, withCors } from './http/cors.ts'
import { refuse } from './http/refuse.ts'
import { type ConnectionInfo, visitOf } from './http/visit.ts'
import { openApiEndpoint } from './openapi.ts'
import type { Route } from './route.ts'

const BODY: readonly RefusalCode[] = [
  'invalid_request',
  'invalid_json',
  'body_too_large',
  'unsupported_media_type',
]
const CREDENTIAL: readonly RefusalCode[] = [
  'invalid_request',
  'repeated_cookie',
  'origin_not_allowed',
  'store_unavailable',
]
const SESSION: readonly RefusalCode[] = [...CREDENTIAL, 'token_required', 'invalid_token', 'session_ended']
const RENEWAL: readonly RefusalCode[] = [
  ...CREDENTIAL,
  'claims_refused',
  'refresh_token_required',
  'access_token_required',
  'invalid_token',
  'invalid_grant',
  'session_ended',
  'refresh_superseded',
  'clock_skewed',
]

/** The table of contents: every address that Mapae answers. The OpenAPI document is made of it. */
export const routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/auth/register',
    summary: 'Register and log in',
    body: registerBody,
    answer: { status: 201, schema: 'TokensWithUser' },
    refusals: [
      ...BODY,
      'invalid_identifier',
      'identifier_taken',
      'password_too_short',
      'password_too_long',
      'password_too_common',
      'origin_not_allowed',
      'claims_refused',
      'busy',
      'store_unavailable',
    ],
    endpoint: registerEndpoint,
  },
  {
    method: 'POST',
    path: '/auth/login',
    summary: 'Log in with an identifier and a password',
    body: loginBody,
    answer: { status: 200, schema: 'TokensWithUser' },
    refusals: [
      ...BODY,
      'invalid_credentials',
      'account_disabled',
      'origin_not_allowed',
      'claims_refused',
      'busy',
      'store_unavailable',
    ],
    endpoint: loginEndpoint,
  },
  {
    method: 'POST',
    path: '/auth/refresh',
    summary: 'Renew a session: the refresh token and the (expired) access token for new ones',
    body: refreshBody,
    answer: { status: 200, schema: 'Tokens' },
    refusals: [...BODY, ...RENEWAL, 'invalid_idempotency_key'],
    endpoint: refreshEndpoint,
  },
  {
    method: 'POST',
    path: '/auth/token',
    summary: "An access token for the memory of an allowed origin's page, by the session's cookies",
    answer: { status: 200, schema: 'AccessToken' },
    refusals: RENEWAL,
    endpoint: tokenEndpoint,
  },
  {
    method: 'POST',
    path: '/auth/logout',
    summary: 'End the session; idempotent',
    body: refreshBody,
    answer: { status: 204 },
    refusals: [...BODY, ...CREDENTIAL],
    endpoint: logoutEndpoint,
  },
  {
    method: 'GET',
    path: '/auth/me',
    summary: 'The user that the access token names',
    answer: { status: 200, schema: 'User' },
    refusals: SESSION,
    secured: true,
    endpoint: meEndpoint,
  },
  {
    method: 'GET',
    path: '/auth/sessions',
    summary: "The account's live sessions",
    answer: { status: 200, schema: 'Sessions' },
    refusals: SESSION,
    secured: true,
    endpoint: listSessionsEndpoint,
  },
  {
    method: 'DELETE',
    path: '/auth/sessions',
    summary: 'End all sessions but this one',
    answer: { status: 200, schema: 'Object' },
    refusals: SESSION,
    secured: true,
    endpoint: endOtherSessionsEndpoint,
  },
  {
    method: 'DELETE',
    path: '/auth/sessions/:id',
    summary: "End one of the account's sessions",
    answer: { status: 204 },
    refusals: [...SESSION, 'not_found'],
    secured: true,
    endpoint: endSessionEndpoint,
  },
  {
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary: 'The public keys that verify access tokens (RFC 7517)',
    answer: { status: 200, schema: 'Object' },
    refusals: ['store_unavailable'],
    endpoint: jwksEndpoint,
  },
  {
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the process answers',
    answer: { status: 200, schema: 'Object' },
    refusals: [],
    aloof: true,
    endpoint: healthzEndpoint,
  },
  {
    method: 'GET',
    path: '/readyz',
    summary: 'Whether the database answers and its clock agrees',
    answer: { status: 200, schema: 'Object' },
    refusals: ['store_unavailable', 'clock_skewed'],
    endpoint: readyzEndpoint,
  },
  {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
    answer: { status: 200, schema: 'Object' },
    refusals: [],
    aloof: true,
    endpoint: (app) => openApiEndpoint(app, routes),
  },
  {
    method: 'GET',
    path: '/',
    summary: 'The start page',
    answer: { status: 200 },
    refusals: [],
    aloof: true,
    endpoint: startPageEndpoint,
  },
]

const LARGEST_HEADERS = 32_768

/** One handler for everything: finds the route, and catches what it throws. */
export function createHandler(
  app: App,
): (request: Request, connection?: ConnectionInfo) => Promise<Response> {
  const { ctx } = app
  const hono = new Hono<{ Bindings: { connection: ConnectionInfo } }>()

  for (const route of routes) {
    hono.on(route.method, route.path, async (c) => {
      refuseLargeHeaders(c.req.raw)
      if (!route.aloof) await ctx.ready()
      return route.endpoint(app, visitOf(ctx, c.req.raw, c.env.connection, c.req.param()))
    })
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    hono.options(path, (c) => preflight(ctx, c.req.raw))
    hono.all(path, () => {
      throw new AuthError('method_not_allowed', undefined, { members: { allow: methodsOf(path).join(', ') } })
    })
  }
  hono.notFound(() => refuse(new AuthError('not_found'), () => {}))
  hono.onError((thrown) => refuse(thrown, (error) => ctx.emit({ type: 'error', at: ctx.clock(), error })))

  return async (request, connection = {}) => {
    const response = await hono.fetch(request, { connection })
    return secured(request.method === 'OPTIONS' ? response : withCors(ctx, request, response))
  }
}

function methodsOf(path: string): readonly string[] {
  return routes.filter((route) => route.path === path).map((route) => route.method)
}

function refuseLargeHeaders(request: Request): void {
  let size = 0
  for (const [name, value] of request.headers) size += name.length + value.length
  if (size > LARGEST_HEADERS) throw new AuthError('headers_too_large')
}

/** OWASP ASVS 5, 3.4: no sniffing, no framing, nothing for other sites to embed. */
function secured(response: Response): Response {
  const { headers } = response
  headers.set('x-content-type-options', 'nosniff')
  headers.set('referrer-policy', 'same-origin')
  if (!headers.has('cross-origin-resource-policy')) headers.set('cross-origin-resource-policy', 'same-site')
  if (!headers.has('content-security-policy'))
    headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  return response
}
