import { record } from './audit.ts'
import type { Context, Origin } from './context.ts'
import { deviceOf } from './device.ts'
import { located } from './locate.ts'
import { countSightings } from './store/audit-log.ts'
import { inTransaction } from './store/open-store.ts'
import { moveSession, type SessionRecord } from './store/sessions.ts'

/** More new places of one session a day are not written down: a client that makes them up must not fill the log. */
const MOST_A_DAY = 20
const DAY = 86_400_000

/**
 * After a renewal: notices that a session is used from another network or device than the last time, and keeps where it
 * is now. What it was never used from before is told (`session.moved`). It is compared in memory, so that an ordinary renewal costs
 * no statement more; a request that tells no network tells nothing of it.
 */
export async function noticeMove(ctx: Context, session: SessionRecord, from: Origin): Promise<void> {
  if (!hasMoved(session, from)) return
  const { id, accountId } = session
  const now = ctx.clock()
  const seen = await located(ctx, from)
  const { userAgent } = seen
  const [network, place] =
    seen.network === null ? [session.network, session.place] : [seen.network, seen.place ?? null]
  const moved = { type: 'session.moved', at: now, accountId, sessionId: id } as const
  const isNews = await inTransaction(ctx.store, async (db) => {
    if (!(await moveSession(db, { id, userAgent, network, place }))) return false
    const sightings = await countSightings(db, {
      sessionId: id,
      types: ['login.succeeded', moved.type],
      network,
      device: deviceOf(userAgent),
      lately: { type: moved.type, since: now - DAY },
    })
    if (sightings.same > 0 || sightings.lately >= MOST_A_DAY) return false
    await record(db, moved, { ...seen, network, place })
    return true
  })
  if (isNews) ctx.emit(moved)
}

function hasMoved(session: SessionRecord, { userAgent, network }: Origin): boolean {
  if (network !== null && network !== session.network) return true
  return userAgent !== session.userAgent && deviceOf(userAgent) !== deviceOf(session.userAgent)
}
