import type { SessionOverview } from '@mapae/server'
import { fromNow } from './moments.ts'
import { printable } from './printable.ts'

/** A session as a row of a table. `now` is milliseconds. */
export function sessionRow(session: SessionOverview, now: number): string[] {
  const { id, device, user_agent, network, place, created_at, last_used_at, expires_at } = session
  const moment = (at: number) => fromNow(at - Math.floor(now / 1000))
  const end =
    session.ended_at === null
      ? `ends ${moment(expires_at)}`
      : `ended ${moment(session.ended_at)}: ${session.end_reason}`
  const where = [device ?? user_agent ?? 'unknown device', network ?? '', place ?? '']
  return [
    id,
    ...where.map(printable),
    `opened ${moment(created_at)}`,
    `used ${moment(last_used_at)}`,
    printable(end),
  ]
}
