import { AuthError } from './auth-error.ts'
import type { Clock } from './clock.ts'
import type { Settings } from './options.ts'
import { databaseTime, type Store } from './store/open-store.ts'

/**
 * Milliseconds. Guards take a token's `iat` up to 5 s ahead of their own clock: what a replica makes that is 3 s fast is
 * taken where the guard is up to 2 s slow.
 */
const TOLERATED = 3000
const EVERY = 10_000

export interface ClockCheck {
  /** Refuses with `clock_skewed` (503) while this clock is over 3 s from the database's. */
  refuseWhenSkewed(): Promise<void>
}

/**
 * Asks the database for its time at most once in ten seconds; replicas then agree on what has expired, and guards on what
 * has begun. How long the answer took counts in the replica's favour: a slow database is no wrong clock.
 */
export function createClockCheck({
  settings,
  clock,
  store,
}: {
  readonly settings: Settings
  readonly clock: Clock
  readonly store: Store
}): ClockCheck {
  let askedAt = Number.NEGATIVE_INFINITY
  let skew = 0
  return {
    async refuseWhenSkewed() {
      if (settings.dangerouslyIgnoreClockSkew) return
      if (performance.now() - askedAt > EVERY) {
        skew = await measured()
        askedAt = performance.now()
      }
      if (skew > TOLERATED) {
        askedAt = Number.NEGATIVE_INFINITY
        throw new AuthError('clock_skewed')
      }
    },
  }

  /** By how many milliseconds the clocks differ at least: the database read its own at some moment in between. */
  async function measured(): Promise<number> {
    const asked = clock()
    const theirs = await databaseTime(store)
    return Math.max(0, theirs - clock(), asked - theirs)
  }
}
