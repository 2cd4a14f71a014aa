import { AuthError } from './auth-error.ts'
import type { Context } from './context.ts'
import { databaseTime } from './store/open-store.ts'

const TOLERATED = 30_000
const EVERY = 10_000

export interface ClockCheck {
  /** Refuses with `clock_skewed` (503) while this clock is over 30 s from the database's. */
  refuseWhenSkewed(): Promise<void>
}

/** Asks the database for its time at most once in ten seconds; replicas then agree on what has expired. */
export function createClockCheck(ctx: Context): ClockCheck {
  let askedAt = Number.NEGATIVE_INFINITY
  let skew = 0
  return {
    async refuseWhenSkewed() {
      if (ctx.settings.dangerouslyIgnoreClockSkew) return
      if (performance.now() - askedAt > EVERY) {
        skew = ctx.clock() - (await databaseTime(ctx.store))
        askedAt = performance.now()
      }
      if (Math.abs(skew) > TOLERATED) {
        askedAt = Number.NEGATIVE_INFINITY
        throw new AuthError('clock_skewed')
      }
    },
  }
}
