import type { Context, Credential } from './context.ts'
import { MapaeError } from './mapae-error.ts'

/**
 * Sends one request with its credential. Throws `MapaeError` `offline` or `server_away` when no answer came, and what the
 * request's own signal was aborted with.
 */
export function transmit(
  ctx: Context,
  url: string,
  init: RequestInit,
  credential: Credential,
): Promise<Response> {
  return reached(init.signal, () => ctx.send(url, init, credential))
}

/** Tells why no answer came. */
export async function reached<T>(signal: AbortSignal | null | undefined, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    if (signal?.aborted) throw signal.reason ?? error // React Native gives no reason
    if (error instanceof MapaeError) throw error
    const isOffline = globalThis.navigator?.onLine === false
    throw new MapaeError(isOffline ? 'offline' : 'server_away', undefined, { cause: error })
  }
}
