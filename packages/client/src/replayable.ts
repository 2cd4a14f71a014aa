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
  const isPlain = (typeof input === 'string' || input instanceof URL) && !isReadOnce(init.body)
  const sent = isPlain ? { url: input, init } : await (await import('./replay.ts')).replayed(ctx, input, init)
  const url = new URL(sent.url, globalThis.location?.href ?? ctx.pageOrigin ?? ctx.url)
  const method = sent.init.method ?? 'GET'
  // The methods whose letters `fetch` makes large (Fetch §2.2.1), as a proof must name them.
  const isStandard = /^(delete|get|head|options|post|put)$/i.test(method)
  return { url, init: { ...sent.init, method: isStandard ? method.toUpperCase() : method } }
}

function isReadOnce(body: BodyInit | null | undefined): boolean {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}
