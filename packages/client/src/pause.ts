import type { Context } from './context.ts'
import type { MapaeError } from './mapae-error.ts'

/** Milliseconds before the next try, after so many; spread by half so that many do not come at once. */
export function backoff(ctx: Context, tries: number): number {
  return Math.min(2000, 25 * 2 ** tries) * (0.5 + ctx.random())
}

/** Waits so long, or until there is reason to hope: the network is back, or somebody looks at the page again. */
export async function pause(ctx: Context, milliseconds: number): Promise<void> {
  const over = new AbortController()
  const until = (place: Partial<EventTarget> | undefined, name: string): void =>
    place?.addEventListener?.(name, () => over.abort(), over)
  until(globalThis, 'online')
  until(globalThis.document, 'visibilitychange')
  await ctx.clock.sleep(milliseconds, over.signal)
  over.abort()
}

/** Tries up to eight times, in about five seconds, what failed in a way that `again` takes for passing. */
export async function retried<T>(
  ctx: Context,
  work: () => Promise<T>,
  again: (error: unknown) => error is MapaeError,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!again(error) || error.code === 'offline' || tries >= TRIES) throw error
      await pause(ctx, backoff(ctx, tries))
    }
  }
}

const TRIES = 8
