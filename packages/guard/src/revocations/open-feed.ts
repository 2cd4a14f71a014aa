import { once } from 'node:events'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

/** The answer of a feed's address, its body still under way. */
export interface FeedAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: AsyncIterable<Uint8Array>
}

/** One GET without redirects. */
export type OpenFeed = (
  url: string,
  options: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<FeedAnswer>

/** Opens feeds with `fetch`, or, without one, by a connection that does not keep the process from ending. */
export function feedOpener(fetch: typeof globalThis.fetch | undefined): OpenFeed {
  return fetch ? openWith(fetch) : openUnreferenced
}

function openWith(fetch: typeof globalThis.fetch): OpenFeed {
  return async (url, { headers, signal }) => {
    const response = await fetch(url, { headers, signal, redirect: 'error' })
    return {
      status: response.status,
      contentType: response.headers.get('content-type') ?? '',
      // Not every fetch ends a body that is under way with its signal.
      body: response.body?.pipeThrough(new TransformStream(), { signal }) ?? nothing(),
    }
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

const openUnreferenced: OpenFeed = async (url, { headers, signal }) => {
  const request = url.startsWith('https:') ? requestHttps : requestHttp
  const asked = request(url, { headers, signal, agent: false })
  asked.on('socket', (socket) => socket.unref())
  asked.end()
  const answer: IncomingMessage = (await once(asked, 'response'))[0]
  // Once the answer has begun its body tells of an end, and nobody waits for this one any more.
  asked.on('error', () => {})
  return {
    status: answer.statusCode ?? 0,
    contentType: answer.headers['content-type'] ?? '',
    body: answer,
  }
}

/** Of an answer to those who ask; one list takes up to 300,000 characters. */
const LONGEST_ANSWER = 1_000_000

/** A body whole. Throws for one that is too long. */
export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > LONGEST_ANSWER) throw new RangeError('an answer of the feed is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
