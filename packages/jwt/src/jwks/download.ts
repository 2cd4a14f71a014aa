import { JwtError } from '../errors.ts'
import { type JsonObject, parseJsonObject } from '../json.ts'
import { decodeUtf8 } from '../text.ts'

/** A key set as it was served, and for how long its server calls it fresh, if it does. */
export interface Download {
  readonly body: JsonObject
  /** Seconds. */
  readonly maxAge: number | undefined
}

/** What is used of `fetch`: `globalThis.fetch` will do. */
export type Get = (
  url: string,
  options: {
    readonly headers: Readonly<Record<string, string>>
    readonly redirect: 'manual'
    readonly signal: AbortSignal
  },
) => Promise<{
  readonly status: number
  readonly headers: Headers
  readonly body: AsyncIterable<Uint8Array> | null
}>

export interface DownloadOptions {
  readonly url: URL
  readonly get: Get
  /** Seconds for the whole answer. */
  readonly timeout: number
  readonly maxBytes: number
}

/** One GET without redirects, bounded in time and size. Throws `jwks_unavailable`. */
export async function download(options: DownloadOptions): Promise<Download> {
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(unavailable('did not come in time'))
      abort.abort()
    }, options.timeout * 1000)
  })
  try {
    return await Promise.race([read(options, abort.signal), late])
  } catch (cause) {
    throw cause instanceof JwtError ? cause : unavailable('could not be fetched', cause)
  } finally {
    clearTimeout(timer)
    abort.abort()
  }
}

async function read({ url, get, maxBytes }: DownloadOptions, signal: AbortSignal): Promise<Download> {
  const headers = { accept: 'application/jwk-set+json, application/json' }
  const response = await get(url.href, { headers, redirect: 'manual', signal })
  if (response.status !== 200) throw unavailable(`was answered with status ${response.status}`)
  const text = decodeUtf8(await readBody(response.body ?? [], maxBytes))
  const body = text === undefined ? 'is not UTF-8' : parseJsonObject(text)
  if (typeof body === 'string')
    throw new JwtError({ code: 'jwks_invalid', description: `The key set ${body}.` })
  return { body, maxAge: maxAgeOf(response.headers) }
}

async function readBody(body: AsyncIterable<Uint8Array> | [], maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxBytes) throw unavailable('is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** `max-age` less `Age` (RFC 9111 §4.2); zero when the answer is not to be stored. */
function maxAgeOf(headers: Headers): number | undefined {
  const directives = (headers.get('cache-control') ?? '')
    .toLowerCase()
    .split(',')
    .map((one) => one.trim())
  if (directives.includes('no-store') || directives.includes('no-cache')) return 0
  const maxAge = directives
    .map((one) => /^max-age="?(\d+)"?$/.exec(one)?.[1])
    .find((seconds) => seconds !== undefined)
  if (maxAge === undefined) return undefined
  const age = Number(headers.get('age') ?? 0)
  return Math.max(0, Number(maxAge) - (age > 0 ? age : 0))
}

export function unavailable(why: string, cause?: unknown): JwtError {
  return new JwtError({ code: 'jwks_unavailable', description: `The key set ${why}.`, cause })
}
