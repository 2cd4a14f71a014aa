import type { Context } from './context.ts'

/** Milliseconds before try number `tries` (from 0), spread by half so that many do not come at once. */
export function backoff(ctx: Context, tries: number): number {
  return Math.min(2000, 50 * 2 ** tries) * (0.5 + ctx.random())
}

/** Waits so long, or until there is reason to hope: the network is back, or somebody looks at the page again. */
export async function pause(
  ctx: Context,
  milliseconds: number,
  signal?: AbortSignal | null | undefined,
): Promise<void> {
  const wake = new AbortController()
  const done = (): void => wake.abort()
  const places: (EventTarget | null | undefined)[] = [
    typeof addEventListener === 'function' ? globalThis : undefined,
    globalThis.document,
    signal,
  ]
  const names = ['online', 'visibilitychange', 'abort']
  for (const [index, name] of names.entries()) places[index]?.addEventListener(name, done)
  await ctx.clock.sleep(milliseconds, wake.signal)
  for (const [index, name] of names.entries()) places[index]?.removeEventListener(name, done)
  if (signal?.aborted) throw signal.reason
}
