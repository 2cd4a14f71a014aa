import type { Context } from '../context.ts'

const METHODS = 'GET, POST, PATCH, DELETE'
const REQUEST_HEADERS = 'Authorization, DPoP, Idempotency-Key, Content-Type'
const RESPONSE_HEADERS = 'Authorization, WWW-Authenticate, DPoP-Nonce, Retry-After'
const PREFLIGHT_AGE = '600'

/** Answers a preflight (Fetch §4.8). Origins are compared with the list, never reflected. */
export function preflight(ctx: Context, request: Request): Response {
  const response = new Response(null, { status: 204 })
  if (!isAllowed(ctx, request)) return withCors(ctx, request, response)
  response.headers.set('access-control-allow-methods', METHODS)
  response.headers.set('access-control-allow-headers', REQUEST_HEADERS)
  response.headers.set('access-control-max-age', PREFLIGHT_AGE)
  return withCors(ctx, request, response)
}

/** Lets a page of an allowed origin read the answer. */
export function withCors(ctx: Context, request: Request, response: Response): Response {
  response.headers.append('vary', 'Origin')
  const origin = request.headers.get('origin')
  if (origin === null || !isAllowed(ctx, request)) return response
  response.headers.set('access-control-allow-origin', origin)
  response.headers.set('access-control-allow-credentials', 'true')
  response.headers.set('access-control-expose-headers', RESPONSE_HEADERS)
  return response
}

function isAllowed(ctx: Context, request: Request): boolean {
  const origin = request.headers.get('origin')
  return origin !== null && ctx.settings.allowedOrigins.includes(origin)
}
