import { stopwatch } from './clock.ts'
import type { Context } from './context.ts'
import type { MapaeError } from './mapae-error.ts'

/**
 * Waits before the next try, after so many: as long as the server asks for, or a little longer each time, spread by half so that many do not come
 * at once. Who is back on the network or on the page waits no longer than the server asks for, whatever timers did meanwhile. False, at once,
 * where there is no use in waiting: without a network, or for more than `most` milliseconds.
 */
export async function paused(ctx: Context, tries: number, error: MapaeError, most: number): Promise<boolean> {
  const asked = waitAsked(error)
  let wait = asked || Math.min(2000, 25 * 2 ** tries) * (0.5 + ctx.random())
  if (error.code === 'offline' || wait > most) return false
  for (const waited = stopwatch(ctx.clock); wait > 0; wait = asked - waited()) await hope(ctx, wait)
  return true
}

/** Milliseconds. */
export function waitAsked({ retryAfter = 0 }: MapaeError): number {
  return retryAfter * 1000
}

/** Waits so long, or until there is reason to hope: the network is back, or somebody looks at the page again. */
async function hope(ctx: Context, milliseconds: number): Promise<void> {
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
      if (!again(error) || tries >= TRIES || !(await paused(ctx, tries, error, MOST))) throw error
    }
  }
}

const TRIES = 8
/** Milliseconds. */
const MOST = 5000
