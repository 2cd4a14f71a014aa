import type { Db } from './open-store.ts'

export interface GuardRecord {
  readonly id: string
  /** Names the published keys that it holds. */
  readonly keysVersion: string
  readonly seenAt: number
  /** It has shown the token of the feed. */
  readonly isKnown: boolean
}

/** As many guards as are remembered where they need not prove to be any: the names are their own inventions, and must not fill a disk. */
const MOST = 10_000

/** Remembers that a guard was heard of, and which keys it holds. */
export async function noteGuard(db: Db, { id, keysVersion, seenAt, isKnown }: GuardRecord): Promise<void> {
  const row = { keys_version: keysVersion, seen_at: seenAt, has_token: isKnown ? 1 : 0 }
  const { numUpdatedRows } = await db.updateTable('guards').set(row).where('id', '=', id).executeTakeFirst()
  if (numUpdatedRows > 0n || (!isKnown && (await isFull(db)))) return
  await db
    .insertInto('guards')
    .values({ id, ...row })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

async function isFull(db: Db): Promise<boolean> {
  const { n } = await db
    .selectFrom('guards')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow()
  return Number(n) >= MOST
}

/** The guards that were heard of since a moment, in milliseconds; the last one first. */
export async function guardsSeen(db: Db, since: number): Promise<GuardRecord[]> {
  const rows = await db
    .selectFrom('guards')
    .select(['id', 'keys_version as keysVersion', 'seen_at as seenAt', 'has_token as hasToken'])
    .where('seen_at', '>=', since)
    .orderBy('seen_at', 'desc')
    .execute()
  return rows.map(({ hasToken, ...guard }) => ({ ...guard, isKnown: hasToken === 1 }))
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
