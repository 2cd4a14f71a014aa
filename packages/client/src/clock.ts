/** Where the client takes time from; a test gives another (`@mapae/client/testing`). */
export interface Clock {
  /** The wall clock, in milliseconds since 1970. People set it, and it may be wrong. */
  wall(): number
  /** Milliseconds since some moment. Never goes back, but stands still in many a sleeping machine. */
  monotonic(): number
  /** Resolves after so many milliseconds, or when `signal` is aborted. Nothing relies on it being on time. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      const done = (): void => {
        clearTimeout(timer)
        resolve()
      }
      signal?.addEventListener('abort', done)
      if (signal?.aborted) done()
    }),
}

/** A moment, by both clocks. */
export interface Moment {
  readonly wall: number
  readonly monotonic: number
}

export function momentOf(clock: Clock): Moment {
  return { wall: clock.wall(), monotonic: clock.monotonic() }
}

/**
 * Tells the milliseconds since now, by the clock that advanced more: one stops in sleep, the other is set back. `ago`: since so many before.
 */
export function stopwatch(clock: Clock, ago = 0): () => number {
  const [wall, monotonic] = [clock.wall(), clock.monotonic()]
  return () => ago + Math.max(0, clock.wall() - wall, clock.monotonic() - monotonic)
}

/** Milliseconds by which the wall clock advanced more than the monotonic one. */
export function leapSince(clock: Clock, since: Moment): number {
  return clock.wall() - since.wall - (clock.monotonic() - since.monotonic)
}
