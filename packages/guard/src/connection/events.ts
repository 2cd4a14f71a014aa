import type { ServerResponse } from 'node:http'
import type { Guard } from '../guard.ts'
import { type ConnectionOptions, type GuardedConnection, guardConnection } from './guard.ts'
import type { EndReason } from './life.ts'

type StreamOptions<Own> = Omit<ConnectionOptions<Own>, 'end'>

/**
 * Ends a response of server-sent events when its token is expired or revoked, with a last event `end` that says why, so that the
 * page can renew and connect again: `guardEventStream(guard, response, { claims: claimsOf(request, guard) })`.
 */
export function guardEventStream<Own>(
  guard: Guard<Own>,
  response: ServerResponse,
  options: StreamOptions<Own>,
): GuardedConnection<Own> {
  const end = (reason: EndReason) => {
    // Ended by its handler, it is open until the client has read all of it.
    if (!response.writableEnded) response.end(lastEvent(reason))
  }
  const connection = guardConnection(guard, { ...options, end })
  response.once('close', connection.stop)
  return connection
}

/** The same for the body of a Response of the Fetch API. What it reads from is cancelled at the end. */
export function guardEvents<Own>(
  guard: Guard<Own>,
  events: ReadableStream<Uint8Array>,
  options: StreamOptions<Own>,
): ReadableStream<Uint8Array> {
  const reader = events.getReader()
  let controller: ReadableStreamDefaultController<Uint8Array>
  let isOver = false
  const connection = guardConnection(guard, {
    ...options,
    end(reason) {
      isOver = true
      controller.enqueue(new TextEncoder().encode(lastEvent(reason)))
      controller.close()
      reader.cancel(reason).catch(() => {})
    },
  })
  const stopAndThrow = (thrown: unknown) => {
    connection.stop()
    throw thrown
  }
  return new ReadableStream<Uint8Array>({
    start(its) {
      controller = its
    },
    async pull() {
      const { done, value } = await reader.read().catch(stopAndThrow)
      if (isOver) return
      if (!done) return controller.enqueue(value)
      connection.stop()
      controller.close()
    },
    async cancel(reason) {
      connection.stop()
      await reader.cancel(reason)
    },
  })
}

function lastEvent(reason: EndReason): string {
  return `event: end\ndata: ${JSON.stringify({ reason })}\n\n`
}
