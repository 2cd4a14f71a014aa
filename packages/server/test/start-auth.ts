import { type Auth, type AuthEvent, type AuthOptions, createAuth, type User } from '@mapae/server'
import { afterAll, onTestFinished, TestRunner } from 'vitest'
import type { databases, TestDatabase } from '../../../test-support/databases.ts'

export const URL_OF_AUTH = 'https://auth.example.com'
export const SECRET = 'a server secret for tests, 32 characters or more'
export const PASSWORD = 'correct horse battery'

/** A moment in 2026, in milliseconds: where the clock of a test begins. */
export const START = 1_790_000_000_000

/** The members that answers have, each where the endpoint gives it. */
export interface AnswerBody {
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly type: string
  readonly status: number
  readonly end_reason: string
  readonly errors: readonly { readonly path: string; readonly message: string }[]
  readonly user: User
  readonly access_token: string
  readonly refresh_token: string
  readonly device_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly refresh_expires_in: number
  readonly session_id: string
  readonly server_time: number
  readonly sessions: readonly {
    readonly id: string
    readonly current: boolean
    readonly user_agent: string | null
    readonly network: string | null
    readonly created_at: number
    readonly last_used_at: number
    readonly expires_at: number
  }[]
  readonly ended_sessions: readonly (AnswerBody['sessions'][number] & {
    readonly ended_at: number
    readonly end_reason: string
  })[]
  readonly timeline: readonly Readonly<Record<string, unknown>>[]
  readonly ended: number
  readonly keys: readonly Readonly<Record<string, string>>[]
  readonly as_of: number
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; `{}` when it is none. */
  readonly json: AnswerBody
  /** The cookies that were set, by name. */
  readonly cookies: Readonly<Record<string, string>>
  readonly setCookies: readonly string[]
}

export interface CallOptions {
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is; say the content type in `headers`. */
  readonly raw?: string | Uint8Array<ArrayBuffer> | ReadableStream
  readonly headers?: Readonly<Record<string, string>> | Headers
  readonly cookies?: Readonly<Record<string, string>>
  /** An access token for the `Authorization` field. */
  readonly token?: string
  /** The address of the peer. */
  readonly address?: string
}

type Overrides = Partial<AuthOptions>

/**
 * A real auth server on a database of the test, with a clock that stands still until it is advanced.
 * Started inside a test it is closed with the test, elsewhere with the file.
 */
export async function startAuth(database: TestDatabase, overrides: Overrides = {}) {
  const events: AuthEvent[] = []
  const clock = startClock()
  const auth = createAuth({
    url: URL_OF_AUTH,
    secret: SECRET,
    database: database.url,
    dangerouslyIgnoreClockSkew: true,
    clock: clock.now,
    onEvent: (event) => void events.push(event),
    ...overrides,
  })
  atTheEnd(() => auth.close())
  const call = callerOf(auth, overrides.url ?? URL_OF_AUTH)
  return {
    auth,
    clock,
    events,
    database,
    call,
    /** POST /auth/register, as somebody new unless `body` says who. */
    register: (body: Readonly<Record<string, unknown>> = {}, options: CallOptions = {}) =>
      call('POST', '/auth/register', {
        ...options,
        body: { ...('username' in body ? {} : { email: someEmail() }), password: PASSWORD, ...body },
      }),
    /** POST /auth/login. */
    login: (body: Readonly<Record<string, unknown>>, options: CallOptions = {}) =>
      call('POST', '/auth/login', { ...options, body: { password: PASSWORD, ...body } }),
    /** POST /auth/refresh with both tokens of an answer by header delivery. */
    refresh: (
      tokens: { readonly access_token: string; readonly refresh_token: string },
      { attemptId, ...options }: CallOptions & { readonly attemptId?: string } = {},
    ) =>
      call('POST', '/auth/refresh', {
        token: tokens.access_token,
        body: { refresh_token: tokens.refresh_token },
        ...options,
        headers: {
          ...(attemptId && { 'idempotency-key': attemptId }),
          ...Object.fromEntries(new Headers(options.headers)),
        },
      }),
  }
}

export type TestAuth = Awaited<ReturnType<typeof startAuth>>

/** The same on an empty database of its own, which goes with it. */
export async function startFreshAuth(
  { open }: (typeof databases)[number],
  overrides: Overrides = {},
): Promise<TestAuth> {
  const database = await open()
  atTheEnd(() => database.close())
  return startAuth(database, overrides)
}

let people = 0
/** An e-mail address that nobody in this file has. */
export const someEmail = (): string => `person-${++people}@example.com`

/** One request through the front door. */
export function callerOf(auth: Pick<Auth, 'fetch'>, origin: string = URL_OF_AUTH) {
  return async (method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
    const { address } = options
    const response = await auth.fetch(requestOf(method, new URL(path, origin).href, options), { address })
    return answerOf(response)
  }
}

export function requestOf(method: string, url: string, options: CallOptions = {}): Request {
  const { body, raw, cookies, token } = options
  const headers = new Headers(options.headers)
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
  if (cookies) headers.set('cookie', cookieField(cookies))
  if (body !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json')
  const sent = raw ?? (body === undefined ? null : JSON.stringify(body))
  return new Request(url, {
    method,
    headers,
    body: sent,
    ...(sent instanceof ReadableStream && { duplex: 'half' }),
  })
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const setCookies = response.headers.getSetCookie()
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text !== '' && /\bjson\b/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : {},
    setCookies,
    cookies: Object.fromEntries(setCookies.map((cookie) => cookie.split(';', 1)[0]?.split('=', 2) ?? [])),
  }
}

export function cookieField(cookies: Readonly<Record<string, string>>): string {
  return Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')
}

function startClock() {
  let time = START
  return {
    /** Milliseconds. */
    now: () => time,
    advance(seconds: number) {
      time += seconds * 1000
    },
  }
}

const closers: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closers.reverse()) await close()
})

/** Runs when the test that is running ends, else when the file does; the last one first. */
export function atTheEnd(close: () => Promise<void>): void {
  if (TestRunner.getCurrentTest()) onTestFinished(close)
  else closers.push(close)
}
