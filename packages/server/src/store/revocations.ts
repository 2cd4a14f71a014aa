import { sql, type Transaction } from 'kysely'
import type { Db, Store } from './open-store.ts'
import type { Tables } from './tables.ts'

const LOCK = 0x6d617062

export interface RevocationRecord {
  readonly keyHash: string
  readonly epoch: number | null
  readonly expiresAt: number
}

/**
 * The last statement of a transaction that ends something: `seq` is in commit order, because on
 * PostgreSQL the lock is held until the commit, and SQLite has one writer.
 */
export async function insertRevocations(
  store: Store,
  db: Transaction<Tables>,
  entries: readonly RevocationRecord[],
): Promise<void> {
  if (entries.length === 0) return
  if (store.kind === 'postgres') await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(db)
  await db
    .insertInto('revocations')
    .values(
      entries.map(({ keyHash, epoch, expiresAt }) => ({ key_hash: keyHash, epoch, expires_at: expiresAt })),
    )
    .execute()
}

/** Removes entries that can refuse nothing any more. */
export async function sweepRevocations(
  db: Db,
  { now, limit }: { now: number; limit: number },
): Promise<number> {
  const oldest = db
    .selectFrom('revocations')
    .select('seq')
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .limit(limit)
  const { numDeletedRows } = await db.deleteFrom('revocations').where('seq', 'in', oldest).executeTakeFirst()
  return Number(numDeletedRows)
}
