import { z } from 'zod'
import type { App } from './app.ts'
import { type RefusalCode, refusals, statusOf } from './auth-error.ts'
import { endReasons } from './end-reasons.ts'
import { timelineTypes } from './events.ts'
import { profileClaims } from './profile.ts'
import type { Route } from './route.ts'

const user = z.object({
  id: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  email_verified: z.boolean(),
  username: z.string().nullable(),
  roles: z.array(z.string()),
  scopes: z.array(z.string()),
  created_at: z.int().describe('seconds since 1970'),
  ...Object.fromEntries(profileClaims.map((claim) => [claim, z.string().optional()])),
})

const deviceToken = z.string().describe('send it with the next login')

const tokens = z.object({
  device_token: deviceToken
    .optional()
    .describe('only with header delivery, where a password was shown: send it with the next login'),
  access_token: z.string().optional().describe('only with header delivery'),
  refresh_token: z.string().optional().describe('only with header delivery'),
  token_type: z.enum(['Bearer', 'DPoP']).describe('DPoP when the session is bound to a key'),
  expires_in: z.int().describe('seconds until the access token expires'),
  refresh_expires_in: z.int().describe('seconds until the session ends if it is not used'),
  session_id: z.string(),
  server_time: z.int().describe("the server's clock, in seconds since 1970"),
  scope: z.string().optional(),
})

const hour = z.int().describe('seconds since 1970, rounded down to the hour')
const endReason = z.enum(Object.keys(endReasons))

const session = z.object({
  id: z.string(),
  current: z.boolean(),
  device: z.string().nullable().describe('what it says of itself, in words'),
  user_agent: z.string().nullable(),
  network: z.string().nullable().describe('of the address it was used from last: IPv4 by /24, IPv6 by /48'),
  place: z.string().nullable(),
  created_at: hour,
  last_used_at: hour,
  expires_at: hour,
  ended_at: hour.optional(),
  end_reason: endReason.optional(),
})

const answers = {
  Tokens: tokens,
  TokensWithUser: tokens.extend({ user }),
  User: z.object({ user }),
  Device: z.object({ device_token: deviceToken }),
  AccessToken: z.object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int(),
    session_id: z.string(),
    server_time: z.int(),
  }),
  Sessions: z.object({ sessions: z.array(session), ended_sessions: z.array(session) }),
  SessionHistory: z.object({
    session,
    timeline: z.array(
      z.object({
        at: hour,
        event: z.enum(timelineTypes),
        actor: z.enum(['self', 'someone', 'admin', 'system']).nullable(),
        device: z.string().nullable(),
        network: z.string().nullable(),
        place: z.string().nullable(),
        end_reason: endReason.optional(),
      }),
    ),
  }),
  Object: z.looseObject({}),
} as const

/** GET /openapi.json: the HTTP API as OpenAPI 3.1, made of the route table. */
export async function openApiEndpoint({ ctx }: App, routes: readonly Route[]): Promise<Response> {
  return Response.json(openApi(ctx.settings.url, routes), {
    headers: { 'cache-control': 'public, max-age=300' },
  })
}

function openApi(url: string, routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Mapae', version: '0.1.0', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url }],
    paths,
    components: {
      schemas: { ...mapValues(answers, toSchema), Problem: problemSchema },
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        boundAccessToken: { type: 'http', scheme: 'dpop', description: 'with a proof in DPoP (RFC 9449)' },
      },
    },
  }
}

function operation(route: Route): object {
  const parameters = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  return {
    summary: route.summary,
    ...(parameters.length > 0 && { parameters }),
    ...(route.body && { requestBody: { content: { 'application/json': { schema: toSchema(route.body) } } } }),
    ...(route.form && {
      requestBody: { content: { 'application/x-www-form-urlencoded': { schema: toSchema(route.form) } } },
    }),
    ...(route.secured && { security: securityOf(route.secured) }),
    responses: {
      [route.answer.status]: answerOf(route),
      ...(route.otherwise && { [route.otherwise.status]: { description: route.otherwise.when } }),
      ...refusalsOf(route),
    },
  }
}

function answerOf({ answer, summary, page }: Route): object {
  if (page) return { description: summary, content: { 'text/html': {} } }
  if (!answer.schema) return { description: summary }
  const schema = { $ref: `#/components/schemas/${answer.schema}` }
  return { description: summary, content: { 'application/json': { schema } } }
}

function securityOf(secured: true | 'optionally'): readonly object[] {
  const either = [{ accessToken: [] }, { boundAccessToken: [] }]
  return secured === 'optionally' ? [{}, ...either] : either
}

function refusalsOf({ refusals: codes, secured }: Route): Record<string, object> {
  const statusAt = (code: RefusalCode) => statusOf(code, { atResource: secured !== undefined })
  const statuses = [...new Set(codes.map(statusAt))].sort()
  const described = (status: number) =>
    [...new Set(codes)]
      .filter((code) => statusAt(code) === status)
      .map((code) => `\`${code}\`: ${refusals[code].title}`)
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: described(status).join('. '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  )
}

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(refusals) },
    detail: { type: 'string' },
    retry_after: { type: 'integer', description: 'with too_many_tries: seconds, as in Retry-After' },
    end_reason: { type: 'string', enum: Object.keys(endReasons), description: 'with session_ended: why' },
  },
}

function toSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  return rest
}

function mapValues<V, W>(values: Readonly<Record<string, V>>, map: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]))
}
