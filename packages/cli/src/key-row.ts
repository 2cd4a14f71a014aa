import type { SigningKeyStatus } from '@mapae/server'
import { fromNow, localTime } from './moments.ts'

/** A signing key as a row of a table. `now` is milliseconds. */
export function keyRow({ kid, algorithm, status, activeFrom }: SigningKeyStatus, now: number): string[] {
  const verb = activeFrom > now ? 'signs from' : 'signed from'
  return [kid, algorithm, status, `${verb} ${localTime(activeFrom)} (${fromNow((activeFrom - now) / 1000)})`]
}
