import { Hono } from 'hono'
import type { App } from './app.ts'
import { AuthError, type RefusalCode } from './auth-error.ts'
import { authorizationServerEndpoint } from './endpoints/authorization-server.ts'
import { emailChangeBody, emailChangeEndpoint } from './endpoints/email-change.ts'
import { resendEndpoint, verifyBody, verifyEndpoint } from './endpoints/email-verify.ts'
import {
  completeForm,
  finishRegistrationForm,
  finishRegistrationPage,
} from './endpoints/finish-registration-page.ts'
import { forgotPasswordForm, forgotPasswordPage } from './endpoints/forgot-password-page.ts'
import { healthzEndpoint, readyzEndpoint } from './endpoints/health.ts'
import { jwksEndpoint } from './endpoints/jwks.ts'
import { loginBody, loginEndpoint } from './endpoints/login.ts'
import { logoutEndpoint } from './endpoints/logout.ts'
import { changeMeEndpoint, deleteMeBody, deleteMeEndpoint, meEndpoint } from './endpoints/me.ts'
import { passwordBody, passwordEndpoint } from './endpoints/password.ts'
import { forgotBody, forgotEndpoint } from './endpoints/password-forgot.ts'
import { resetBody, resetEndpoint, resetForm } from './endpoints/password-reset.ts'
import { refreshBody, refreshEndpoint } from './endpoints/refresh.ts'
import { registerBody, registerEndpoint } from './endpoints/register.ts'
import { completeBody, completeEndpoint } from './endpoints/register-complete.ts'
import { resetPasswordForm, resetPasswordPage } from './endpoints/reset-password-page.ts'
import { revocationsEndpoint } from './endpoints/revocations.ts'
import {
  endOtherSessionsEndpoint,
  endSessionEndpoint,
  listSessionsEndpoint,
  showSessionEndpoint,
} from './endpoints/sessions.ts'
import { startPageEndpoint } from './endpoints/start-page.ts'
import { tokenEndpoint } from './endpoints/token.ts'
import { verifyEmailForm, verifyEmailPage, verifyForm } from './endpoints/verify-email-page.ts'
import { preflight, withCors } from './http/cors.ts'
import { sentScheme } from './http/credentials.ts'
import { problemPage } from './http/problem-page.ts'
import { withNonce } from './http/proof.ts'
import { refuse } from './http/refuse.ts'
import { type ConnectionInfo, visitOf } from './http/visit.ts'
import { openApiEndpoint } from './openapi.ts'
import { profileChange } from './profile.ts'
import type { Route } from './route.ts'
import { createTurns } from './turns.ts'

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
const PROOF: readonly RefusalCode[] = ['invalid_dpop_proof', 'use_dpop_nonce']
const SESSION: readonly RefusalCode[] = [
  ...CREDENTIAL,
  ...PROOF,
  'token_required',
  'invalid_token',
  'session_ended',
]
const RENEWAL: readonly RefusalCode[] = [
  ...CREDENTIAL,
  'invalid_dpop_proof',
  'claims_refused',
  'refresh_token_required',
  'access_token_required',
  'invalid_token',
  'invalid_grant',
  'session_ended',
  'refresh_superseded',
  'clock_skewed',
]

const PASSWORD: readonly RefusalCode[] = [
  'password_too_short',
  'password_too_long',
  'password_too_common',
  'password_too_obvious',
  'busy',
]
const MAIL: readonly RefusalCode[] = [
  'invalid_identifier',
  'too_many_tries',
  'mail_not_configured',
  'busy',
  'store_unavailable',
]
const EMAIL_CODE: readonly RefusalCode[] = [
  'invalid_code',
  'reauthentication_required',
  'wrong_password',
  'account_disabled',
  'identifier_taken',
  'too_many_tries',
  'busy',
]
const RESET: readonly RefusalCode[] = [
  'invalid_code',
  'account_disabled',
  'too_many_tries',
  ...PASSWORD,
  'store_unavailable',
]
const FORM: readonly RefusalCode[] = [
  'invalid_request',
  'body_too_large',
  'unsupported_media_type',
  'origin_not_allowed',
  'store_unavailable',
]

/** The table of contents: every address that Mapae answers. The OpenAPI document is made of it. */
export const routes: readonly Route[] = [
  {
    method: 'POST',
    path: '/auth/register',
    summary: 'Register and log in',
    body: registerBody,
    answer: { status: 201, schema: 'TokensWithUser' },
    otherwise: { status: 202, when: 'With `verify-first`: a mail is on its way; only `email` is read' },
    refusals: [
      ...BODY,
      ...PROOF,
      'invalid_identifier',
      'identifier_taken',
      'password_too_short',
      'password_too_long',
      'password_too_common',
      'password_too_obvious',
      'origin_not_allowed',
      'too_many_tries',
      'claims_refused',
      'busy',
      'store_unavailable',
      'clock_skewed',
    ],
    endpoint: registerEndpoint,
  },
  {
    method: 'POST',
    path: '/auth/register/complete',
    summary: 'Make the account of a mailed code, and log in (`verify-first`)',
    body: completeBody,
    answer: { status: 201, schema: 'TokensWithUser' },
    refusals: [
      ...BODY,
      ...PROOF,
      'invalid_code',
      'invalid_identifier',
      'identifier_taken',
      ...PASSWORD,
      'origin_not_allowed',
      'too_many_tries',
      'claims_refused',
      'store_unavailable',
      'clock_skewed',
    ],
    endpoint: completeEndpoint,
  },
  {
    method: 'POST',
    path: '/auth/login',
    summary: 'Log in with an identifier and a password',
    body: loginBody,
    answer: { status: 200, schema: 'TokensWithUser' },
    refusals: [
      ...BODY,
      ...PROOF,
      'invalid_credentials',
      'account_disabled',
      'origin_not_allowed',
      'too_many_tries',
      'claims_refused',
      'busy',
      'store_unavailable',
      'clock_skewed',
    ],
    endpoint: loginEndpoint,
  },
  {
    method: 'POST',
    path: '/auth/refresh',
    summary: 'Renew a session: the refresh token and the (expired) access token for new ones',
    body: refreshBody,
    answer: { status: 200, schema: 'Tokens' },
    refusals: [...BODY, ...RENEWAL, 'use_dpop_nonce', 'invalid_idempotency_key'],
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
    refusals: [...BODY, ...CREDENTIAL, ...PROOF, 'invalid_token'],
    secured: 'optionally',
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
    method: 'PATCH',
    path: '/auth/me',
    summary: 'Change what the person tells of themselves; null takes a member away (RFC 7396)',
    body: profileChange,
    answer: { status: 200, schema: 'User' },
    refusals: [...BODY, ...SESSION],
    secured: true,
    endpoint: changeMeEndpoint,
  },
  {
    method: 'DELETE',
    path: '/auth/me',
    summary: 'Delete the account and all that it tells of the person',
    body: deleteMeBody,
    answer: { status: 204 },
    refusals: [...BODY, ...SESSION, 'wrong_password', 'account_disabled', 'too_many_tries', 'busy'],
    secured: true,
    endpoint: deleteMeEndpoint,
  },
  {
    method: 'GET',
    path: '/auth/sessions',
    summary: "The account's live sessions, and those that ended lately",
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
    method: 'GET',
    path: '/auth/sessions/:id',
    summary: "One of the account's sessions, and what happened to it",
    answer: { status: 200, schema: 'SessionHistory' },
    refusals: [...SESSION, 'not_found'],
    secured: true,
    endpoint: showSessionEndpoint,
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
    method: 'POST',
    path: '/auth/password',
    summary: 'Change the password: every session ends, a new one is opened for the caller',
    body: passwordBody,
    answer: { status: 200, schema: 'Tokens' },
    refusals: [
      ...BODY,
      ...SESSION,
      'wrong_password',
      'account_disabled',
      'too_many_tries',
      ...PASSWORD,
      'clock_skewed',
    ],
    secured: true,
    endpoint: passwordEndpoint,
  },
  {
    method: 'POST',
    path: '/auth/password/forgot',
    summary: 'Ask for a mail to reset the password with',
    body: forgotBody,
    answer: { status: 202 },
    refusals: [...BODY, ...MAIL, 'origin_not_allowed'],
    endpoint: forgotEndpoint,
  },
  {
    method: 'POST',
    path: '/auth/password/reset',
    summary: 'Set a new password by a mailed code: every session ends, nobody is logged in',
    body: resetBody,
    answer: { status: 200, schema: 'Device' },
    otherwise: { status: 204, when: 'With cookie delivery: the device token is in a cookie' },
    refusals: [...BODY, ...RESET, 'origin_not_allowed'],
    endpoint: resetEndpoint,
  },
  {
    method: 'POST',
    path: '/auth/email/verify',
    summary: 'Prove an address by a mailed code, with an access token of the account or its password',
    body: verifyBody,
    answer: { status: 204 },
    refusals: [...BODY, ...CREDENTIAL, 'invalid_token', 'session_ended', ...EMAIL_CODE],
    endpoint: verifyEndpoint,
  },
  {
    method: 'POST',
    path: '/auth/email/verify/resend',
    summary: 'Ask for the mail that proves the address once more',
    answer: { status: 202 },
    refusals: [...SESSION, 'nothing_to_verify', 'too_many_tries', 'mail_not_configured'],
    secured: true,
    endpoint: resendEndpoint,
  },
  {
    method: 'POST',
    path: '/auth/email/change',
    summary: 'Ask for a mail to a new address; it is the account’s once its code is used',
    body: emailChangeBody,
    answer: { status: 202 },
    refusals: [...BODY, ...SESSION, ...MAIL, 'wrong_password', 'account_disabled'],
    secured: true,
    endpoint: emailChangeEndpoint,
  },
  {
    method: 'GET',
    path: '/verify-email',
    summary: 'The page that the link of a mail opens: prove an address',
    answer: { status: 200 },
    refusals: ['invalid_code', ...CREDENTIAL],
    page: true,
    endpoint: verifyEmailPage,
  },
  {
    method: 'POST',
    path: '/verify-email',
    summary: 'Its form',
    form: verifyForm,
    answer: { status: 200 },
    refusals: [...FORM, 'repeated_cookie', ...EMAIL_CODE],
    page: true,
    endpoint: verifyEmailForm,
  },
  {
    method: 'GET',
    path: '/reset-password',
    summary: 'The page that the link of a mail opens: choose a new password',
    answer: { status: 200 },
    refusals: ['invalid_code', 'store_unavailable'],
    page: true,
    endpoint: resetPasswordPage,
  },
  {
    method: 'POST',
    path: '/reset-password',
    summary: 'Its form',
    form: resetForm,
    answer: { status: 200 },
    refusals: [...FORM, ...RESET],
    page: true,
    endpoint: resetPasswordForm,
  },
  {
    method: 'GET',
    path: '/finish-registration',
    summary:
      'The page that the link of a mail opens: choose a password and make the account (`verify-first`)',
    answer: { status: 200 },
    refusals: ['invalid_code', 'store_unavailable'],
    page: true,
    endpoint: finishRegistrationPage,
  },
  {
    method: 'POST',
    path: '/finish-registration',
    summary: 'Its form; cookies log the person in',
    form: completeForm,
    answer: { status: 200 },
    refusals: [...FORM, 'invalid_code', 'identifier_taken', 'too_many_tries', ...PASSWORD, 'clock_skewed'],
    page: true,
    endpoint: finishRegistrationForm,
  },
  {
    method: 'GET',
    path: '/forgot-password',
    summary: 'The page to ask for a mail with',
    answer: { status: 200 },
    refusals: ['store_unavailable'],
    page: true,
    endpoint: forgotPasswordPage,
  },
  {
    method: 'POST',
    path: '/forgot-password',
    summary: 'Its form',
    form: forgotBody,
    answer: { status: 200 },
    refusals: [...FORM, ...MAIL],
    page: true,
    endpoint: forgotPasswordForm,
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
    path: '/revocations',
    summary:
      'What was revoked, as signed security event tokens (RFC 8417): server-sent events, or JSON with `?since=`',
    answer: { status: 200, schema: 'Object' },
    refusals: ['invalid_request', 'token_required', 'invalid_token', 'busy', 'store_unavailable'],
    endpoint: revocationsEndpoint,
  },
  {
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
    summary: 'What clients and APIs have to know of this issuer (RFC 8414)',
    answer: { status: 200, schema: 'Object' },
    refusals: [],
    aloof: true,
    endpoint: authorizationServerEndpoint,
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

const drawsPages: ReadonlySet<string> = new Set(routes.filter(({ page }) => page).map(({ path }) => path))
const LARGEST_HEADERS = 32_768

/** One handler for everything: finds the route, and catches what it throws. */
export function createHandler(
  app: App,
): (request: Request, connection?: ConnectionInfo) => Promise<Response> {
  const { ctx } = app
  const hono = new Hono<{ Bindings: { connection: ConnectionInfo } }>()

  for (const route of routes) {
    hono.on(route.method, route.path, async (c) => {
      if (!c.env.connection.headersAreBounded) refuseLargeHeaders(c.req.raw)
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
  const refused = (thrown: unknown, request: Request) => {
    const report = (error: unknown) => ctx.emit({ type: 'error', at: ctx.clock(), error })
    const problem = refuse(thrown, report, sentScheme(request))
    return drawsPages.has(new URL(request.url).pathname)
      ? problemPage(ctx, request, { thrown, problem })
      : problem
  }
  hono.onError((thrown, c) => refused(thrown, c.req.raw))

  // Requests that arrive in one turn of the event loop go on together: all of them are read before the first is worked on, and then they
  // take each step side by side. What a step costs is mostly to bring its code and data near the processor, so that thirty in step take
  // half the time of thirty one after the other; and what they ask the database for arrives there together.
  const inStep = createTurns()
  return async (request, connection = {}) => {
    await inStep()
    // Hono rethrows what is no Error, as an app's own `claims` or `pages` may throw it.
    const answered = Promise.resolve(hono.fetch(request, { connection }))
    const response = await answered.catch((thrown: unknown) => refused(thrown, request))
    if (request.method === 'OPTIONS') return secured(response)
    return secured(withCors(ctx, request, withNonce(ctx, request, response)))
  }
}

/** RFC 9110 §10.2.1: all methods that the address takes. HEAD is answered as GET is, and OPTIONS everywhere (CORS). */
function methodsOf(path: string): readonly string[] {
  const methods = routes.filter((route) => route.path === path).map((route) => route.method)
  return methods.flatMap((method) => (method === 'GET' ? [method, 'HEAD'] : [method])).concat('OPTIONS')
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
