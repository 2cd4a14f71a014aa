import type { Clock } from '../clock.ts'

/** Time that passes when a test says so, or as fast as the work allows. */
export interface VirtualTime {
  /** The right time, in milliseconds since 1970: for the server. */
  now(): number
  /** Lets so many milliseconds pass; whoever slept until then wakes. */
  advance(milliseconds: number): void
  /** The clock of one device. `wrongBy`: milliseconds that its wall clock is ahead. */
  device(options?: { readonly wrongBy?: number }): DeviceClock
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
  /** Lets time pass until the work is done: it jumps to the next sleeper whenever nothing else is going on. */
  run<T>(work: Promise<T>): Promise<T>
  /** Time stands still under {@link run} until the work is done: for real work, such as a server's. */
  hold<T>(work: Promise<T>): Promise<T>
}

export interface DeviceClock extends Clock {
  /** The machine sleeps for so long: the wall clock goes on, the monotonic one stands still. */
  suspend(milliseconds: number): void
  /** Somebody sets the wall clock by so much. */
  set(milliseconds: number): void
}

interface Sleeper {
  readonly until: number
  readonly wake: () => void
}

/** `start`: milliseconds since 1970. */
export function virtualTime(start = 1_790_000_000_000): VirtualTime {
  let now = start
  let held = 0
  let stirred = 0
  const sleepers = new Set<Sleeper>()

  const advance = (milliseconds: number): void => {
    const end = now + milliseconds
    for (let next = earliest(sleepers); next && next.until <= end; next = earliest(sleepers)) {
      now = Math.max(now, next.until)
      next.wake()
    }
    now = end
  }
  const sleep = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const sleeper: Sleeper = { until: now + Math.max(0, milliseconds), wake }
      function wake(): void {
        stirred++
        sleepers.delete(sleeper)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      stirred++
      sleepers.add(sleeper)
      if (signal?.aborted || milliseconds <= 0) wake()
      else signal?.addEventListener('abort', wake)
    })
  const time: VirtualTime = {
    now: () => now,
    advance,
    sleep,
    device: ({ wrongBy = 0 } = {}) => deviceClock(time, wrongBy),
    hold: async (work) => {
      held++
      try {
        return await work
      } finally {
        held--
        stirred++
      }
    },
    run: async (work) => {
      let done = false
      const settled = work.finally(() => {
        done = true
      })
      settled.catch(() => {}) // whoever awaits it below hears of it
      while (!done) {
        const before = stirred
        const isQuiet = async (turns: number): Promise<boolean> => {
          for (let count = 0; count < turns && !done && stirred === before; count++) await turn()
          return !done && held === 0 && stirred === before
        }
        if (!(await isQuiet(QUIET))) continue
        const next = earliest(sleepers)
        if (!next) continue
        const isFar = next.until - now > SOON
        if (!isFar || (await isQuiet(VERY_QUIET))) advance(next.until - now)
      }
      return settled
    },
  }
  return time
}

/** Turns of the event loop without anything happening after which nothing is taken to be going on. */
const QUIET = 8
/** The same before a longer jump, which would run into a time limit if something was going on after all. */
const VERY_QUIET = 80
/** Milliseconds. */
const SOON = 4000

/** Lets everything run that is ready. A message wakes sooner than a timer, which browsers hold back. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}

function earliest(sleepers: ReadonlySet<Sleeper>): Sleeper | undefined {
  let first: Sleeper | undefined
  for (const sleeper of sleepers) if (!first || sleeper.until < first.until) first = sleeper
  return first
}

function deviceClock(time: VirtualTime, wrongBy: number): DeviceClock {
  const began = time.now()
  let ahead = wrongBy
  let slept = 0
  return {
    wall: () => time.now() + ahead,
    monotonic: () => time.now() - began - slept,
    sleep: time.sleep,
    suspend: (milliseconds) => {
      slept += milliseconds
      time.advance(milliseconds)
    },
    set: (milliseconds) => {
      ahead += milliseconds
    },
  }
}
