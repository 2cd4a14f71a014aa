import type { Db } from './open-store.ts'

/** Removes sessions that ended before a moment. */
export async function sweepEndedSessions(
  db: Db,
  { before, limit }: { before: number; limit: number },
): Promise<number> {
  const oldest = db
    .selectFrom('sessions')
    .select('id')
    .where('ended_at', 'is not', null)
    .where('ended_at', '<', before)
    .orderBy('ended_at')
    .limit(limit)
  const { numDeletedRows } = await db.deleteFrom('sessions').where('id', 'in', oldest).executeTakeFirst()
  return Number(numDeletedRows)
}

/**
 * Removes sessions that ran out before a moment, unused or too old. A session that was used meanwhile is not
 * looked at again before it can have run out: once in an idle lifetime, however often it is renewed.
 * Returns how many rows it dealt with, either way.
 */
export async function sweepExpiredSessions(
  db: Db,
  { before, limit }: { before: number; limit: number },
): Promise<number> {
  const due = db
    .selectFrom('sessions')
    .select('id')
    .where('ended_at', 'is', null)
    .where('sweep_at', '<', before)
    .orderBy('sweep_at')
    .limit(limit)
  const { numDeletedRows } = await db
    .deleteFrom('sessions')
    .where('id', 'in', due)
    .where('ended_at', 'is', null)
    .where('idle_expires_at', '<', before)
    .executeTakeFirst()
  const { numUpdatedRows } = await db
    .updateTable('sessions')
    .set(({ ref }) => ({ sweep_at: ref('idle_expires_at') }))
    .where('id', 'in', due)
    .where('idle_expires_at', '>=', before)
    .executeTakeFirst()
  return Number(numDeletedRows) + Number(numUpdatedRows)
}
