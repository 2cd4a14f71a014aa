import type { Context, Credential } from './context.ts'
import { MapaeError } from './mapae-error.ts'
import { reached, transmit } from './transmit.ts'
import { type Members, parseMembers, textOf } from './wire.ts'

export interface AuthCall {
  readonly body?: unknown
  readonly attempt?: string | undefined
  readonly credential?: Credential | undefined
  /** Gives the request up: `server_away`. */
  readonly stop?: AbortSignal | undefined
}

/** Milliseconds until the auth server counts as away. */
const PATIENCE = 10_000

/**
 * One POST to the auth server. Resolves to the members of its answer, with its status. Throws `MapaeError` with the server's code
 * for a refusal, `offline` or `server_away` when there is no whole answer within ten seconds.
 */
export async function callAuth(
  ctx: Context,
  path: string,
  { body, attempt, credential = {}, stop }: AuthCall = {},
): Promise<Members & { readonly status: number }> {
  const init: RequestInit = {
    method: 'POST',
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(attempt !== undefined && { 'idempotency-key': attempt }),
    },
    body: JSON.stringify(body),
    ...(ctx.delivery === 'cookie' && { credentials: 'include' }), // some workers refuse any other word
  }
  return inTime(ctx, stop, async (signal) => {
    const response = await transmit(ctx, ctx.url + path, { ...init, signal }, credential)
    const answer = parseMembers(await reached(signal, () => response.text()))
    if (!response.ok) throw refusal(response, answer)
    return { ...answer, status: response.status }
  })
}

/** The refusal in an answer: problem details (RFC 9457) with a code, or whatever a proxy on the way says. */
export function refusal(response: Response, answer: Members): MapaeError {
  const { status } = response
  const description = textOf(answer['detail']) ?? textOf(answer['title'])
  return new MapaeError(
    textOf(answer['code']) ?? (status >= 500 ? 'server_away' : `http_${status}`),
    description,
    {
      status,
      retryAfter: retryAfter(response),
      endReason: textOf(answer['end_reason']),
    },
  )
}

/** Seconds (RFC 9110 §10.2.3); of a date nothing is made, since it would be compared with a clock that may be wrong. */
function retryAfter(response: Response): number | undefined {
  const field = response.headers.get('retry-after')
  return /^\d{1,6}$/.test(field ?? '') ? Number(field) : undefined
}

/** Gives a request an end. Its late answer, if there is one, is not read and sets no cookie. */
async function inTime<T>(
  ctx: Context,
  stop: AbortSignal | undefined,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const request = new AbortController()
  const { signal } = request
  const end = (): void => request.abort()
  ctx.clock.sleep(PATIENCE, signal).then(end)
  stop?.addEventListener('abort', end, { signal })
  if (stop?.aborted) end()
  try {
    return await send(signal)
  } catch (cause) {
    throw signal.aborted ? new MapaeError('server_away', undefined, { cause }) : cause
  } finally {
    end() // the timer
  }
}
