import type { Context } from './context.ts'
import { MapaeError } from './mapae-error.ts'

/** A request that can be sent more than once. */
export interface Replayable {
  readonly url: URL
  readonly init: RequestInit & { readonly method: string }
}

/**
 * Reads what `fetch` takes. A body that can be read only once is read now, up to `bufferLimit` bytes: throws `body_not_replayable`
 * for more, before anything was sent.
 */
export async function replayable(
  ctx: Context,
  input: RequestInfo | URL,
  init: RequestInit = {},
): Promise<Replayable> {
  const from = input instanceof Request ? { ...settingsOf(input), ...init } : init
  const url = new URL(
    input instanceof Request ? input.url : input,
    globalThis.location?.href ?? ctx.pageOrigin ?? ctx.url,
  )
  const sent = init.body ?? (input instanceof Request ? input.body : undefined)
  const body = sent instanceof ReadableStream ? await bytesOf(sent, ctx.bufferLimit) : sent
  const method = from.method ?? 'GET'
  const whole = { ...from, method: standard.has(method.toUpperCase()) ? method.toUpperCase() : method }
  if (body === undefined || body === null) return { url, init: whole }
  if (!isReplayable(body)) throw notReplayable('a kind of body that this client does not know')
  return { url, init: { ...whole, body } }
}

/** Those whose letters `fetch` makes large (Fetch §2.2.1), and a proof must name as they are sent. */
const standard: ReadonlySet<string> = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'])

function settingsOf(request: Request): RequestInit {
  const { method, headers, signal, credentials, cache, redirect, integrity, keepalive, mode } = request
  const settings = { method, headers, signal, credentials, cache, redirect, integrity, keepalive, mode }
  // Some runtimes do not know them all, and a navigation cannot be repeated as one.
  const known = Object.entries(settings).filter(([, value]) => value !== undefined && value !== 'navigate')
  return Object.fromEntries(known)
}

function isReplayable(body: BodyInit): boolean {
  return typeof body === 'string' || !(Symbol.asyncIterator in body)
}

async function bytesOf(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    size += value.byteLength
    if (size <= limit) continue
    await reader.cancel()
    throw notReplayable(`a stream of more than ${limit} bytes (bufferLimit)`)
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}

function notReplayable(what: string): MapaeError {
  return new MapaeError(
    'body_not_replayable',
    `The request has ${what}: it could not be sent again if its token had to be renewed on the way.`,
  )
}
