import type { Db } from './open-store.ts'

export interface GuardRecord {
  readonly id: string
  /** Names the published keys that it holds. */
  readonly keysVersion: string
  readonly seenAt: number
}

/** As many guards as are remembered: the names are their own inventions, and must not fill a disk. */
const MOST = 10_000

/** Remembers that a guard was heard of, and which keys it holds. */
export async function noteGuard(db: Db, { id, keysVersion, seenAt }: GuardRecord): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('guards')
    .set({ keys_version: keysVersion, seen_at: seenAt })
    .where('id', '=', id)
    .executeTakeFirst()
  if (numUpdatedRows > 0n) return
  const { n } = await db
    .selectFrom('guards')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  if (Number(n) >= MOST) return
  await db
    .insertInto('guards')
    .values({ id, keys_version: keysVersion, seen_at: seenAt })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

/** The guards that were heard of since a moment, in milliseconds; the last one first. */
export function guardsSeen(db: Db, since: number): Promise<GuardRecord[]> {
  return db
    .selectFrom('guards')
    .select(['id', 'keys_version as keysVersion', 'seen_at as seenAt'])
    .where('seen_at', '>=', since)
    .orderBy('seen_at', 'desc')
    .execute()
}

/** Forgets guards that were not heard of since a moment. */
export async function forgetGuards(
  db: Db,
  { before, limit }: { before: number; limit: number },
): Promise<number> {
  const oldest = db
    .selectFrom('guards')
    .select('id')
    .where('seen_at', '<', before)
    .orderBy('seen_at')
    .limit(limit)
  const { numDeletedRows } = await db.deleteFrom('guards').where('id', 'in', oldest).executeTakeFirst()
  return Number(numDeletedRows)
}
