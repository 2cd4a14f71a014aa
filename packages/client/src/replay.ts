import type { Context } from './context.ts'
import { MapaeError } from './mapae-error.ts'

/**
 * What `fetch` takes, in the form that can be sent again: a `Request`, and a body that can be read only once, are read now, up to
 * `bufferLimit` bytes. Throws `body_not_replayable` for more, before anything was sent.
 */
export async function replayed(
  ctx: Context,
  input: RequestInfo | URL,
  init: RequestInit,
): Promise<{ readonly url: string; readonly init: RequestInit }> {
  if (!(input instanceof Request)) return { url: String(input), init: await buffered(ctx, init, init.body) }
  const body = init.body ?? input.body ?? (await hiddenBody(ctx, input))
  return { url: input.url, init: await buffered(ctx, { ...settingsOf(input), ...init }, body) }
}

/** The body of a request in a runtime that does not show it: React Native and some browsers know no `Request.body`. */
async function hiddenBody(
  { bufferLimit = DEFAULT_LIMIT }: Context,
  request: Request,
): Promise<Blob | undefined> {
  if (request.body === null || /^(GET|HEAD)$/.test(request.method)) return undefined
  const blob = await request.blob()
  if (blob.size > bufferLimit) throw notReplayable(`a body of more than ${bufferLimit} bytes (bufferLimit)`)
  return blob.size === 0 ? undefined : blob
}

/** Bytes. */
const DEFAULT_LIMIT = 1_048_576

async function buffered(
  { bufferLimit = DEFAULT_LIMIT }: Context,
  { body: _, ...init }: RequestInit,
  body: BodyInit | null | undefined,
): Promise<RequestInit> {
  if (body === undefined || body === null) return init
  if (isStream(body)) return { ...init, body: await bytesOf(body, bufferLimit) }
  if (typeof body !== 'string' && Symbol.asyncIterator in body)
    throw notReplayable('a kind of body that can be read only once')
  return { ...init, body }
}

/** React Native has no streams. */
function isStream(body: BodyInit): body is ReadableStream<Uint8Array> {
  return typeof ReadableStream !== 'undefined' && body instanceof ReadableStream
}

function settingsOf(request: Request): RequestInit {
  const { method, headers, signal, credentials, cache, redirect, integrity, keepalive, mode } = request
  const settings = { method, headers, signal, credentials, cache, redirect, integrity, keepalive, mode }
  // Some runtimes do not know them all, and a navigation cannot be repeated as one.
  const known = Object.entries(settings).filter(([, value]) => value !== undefined && value !== 'navigate')
  return Object.fromEntries(known)
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
