import type { Context } from './context.ts'

/** A request that can be sent more than once. */
export interface Replayable {
  readonly url: URL
  readonly init: RequestInit & { readonly method: string }
}

/** Reads what `fetch` takes; see `replay.ts` for what cannot be sent again as it is. */
export async function replayable(
  ctx: Context,
  input: RequestInfo | URL,
  init: RequestInit = {},
): Promise<Replayable> {
  const isReadOnce = input instanceof Request || Symbol.asyncIterator in Object(init.body)
  const sent = isReadOnce
    ? await (await import('./replay.ts')).replayed(ctx, input, init)
    : { url: input, init }
  const address = String(sent.url)
  const base = globalThis.location?.href ?? ctx.pageOrigin ?? ctx.url
  // React Native takes some whole addresses for paths when there is a base.
  const url = /^\w+:/.test(address) ? new URL(address) : new URL(address, base)
  // In one spelling, because `fetch` changes that of some methods and a proof must name what is sent.
  const { method = 'GET' } = sent.init
  return { url, init: { ...sent.init, method: method.toUpperCase() } }
}
