import type { Context } from './context.ts'
import { MapaeError } from './mapae-error.ts'

/** What a request is authorized with; neither with cookies. */
export interface Credential {
  readonly access?: string | undefined
  /** The thumbprint of the key that the request is proved with. */
  readonly jkt?: string | undefined
}

/**
 * Sends one request with its credential. Throws `MapaeError` `offline` or `server_away` when no answer came, and what the
 * request's own signal was aborted with.
 */
export async function transmit(
  ctx: Context,
  url: string,
  init: RequestInit,
  { access, jkt }: Credential,
): Promise<Response> {
  if (jkt !== undefined)
    return reached(init.signal, async () => (await ctx.boundKeys()).send(jkt, url, init, access))
  return reached(init.signal, () => ctx.fetch(url, access === undefined ? init : withBearer(init, access)))
}

/** Tells why no answer came. */
export async function reached<T>(signal: AbortSignal | null | undefined, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (error instanceof MapaeError) throw error
    const isOffline = globalThis.navigator?.onLine === false
    throw new MapaeError(isOffline ? 'offline' : 'server_away', undefined, { cause: error })
  }
}

function withBearer(init: RequestInit, access: string): RequestInit {
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${access}`)
  return { ...init, headers }
}
