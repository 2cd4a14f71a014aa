import { sql, type Transaction } from 'kysely'
import type { Db, Store } from './open-store.ts'
import { REVOCATIONS_CHANNEL } from './postgres-listener.ts'
import type { Tables } from './tables.ts'

const LOCK = 0x6d617062

export interface RevocationRecord {
  /** SHA-256, base64url: of a session, an account or a key. */
  readonly keyHash: string
  /** For an account: tokens of a lower epoch are refused. */
  readonly epoch: number | null
  /** The key that was withdrawn. */
  readonly kid: string | null
  readonly expiresAt: number
}

export interface NumberedRevocation extends RevocationRecord {
  readonly seq: number
}

/**
 * The last statement of a transaction that ends something: `seq` is in commit order, because on
 * PostgreSQL the lock is held until the commit, and SQLite has one writer. The commit tells whoever listens.
 */
export async function insertRevocations(
  store: Store,
  db: Transaction<Tables>,
  entries: readonly RevocationRecord[],
): Promise<void> {
  if (entries.length === 0) return
  if (store.kind === 'postgres')
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)}), pg_notify(${sql.lit(REVOCATIONS_CHANNEL)}, '')`.execute(
      db,
    )
  await db
    .insertInto('revocations')
    .values(
      entries.map(({ keyHash, epoch, kid, expiresAt }) => ({
        key_hash: keyHash,
        epoch,
        kid,
        expires_at: expiresAt,
      })),
    )
    .execute()
}

const columns = ['seq', 'key_hash as keyHash', 'epoch', 'kid', 'expires_at as expiresAt'] as const

/** What was revoked after the entry `after`, in the order of the commits, and can still refuse something at `now`. */
export function revocationsAfter(
  db: Db,
  { after, now, limit }: { after: number; now: number; limit: number },
): Promise<NumberedRevocation[]> {
  return db
    .selectFrom('revocations')
    .select(columns)
    .where('seq', '>', after)
    .where('expires_at', '>', now)
    .orderBy('seq')
    .limit(limit)
    .execute()
}

/** The last entry that is there. */
export function lastRevocation(db: Db): Promise<NumberedRevocation | undefined> {
  return db.selectFrom('revocations').select(columns).orderBy('seq', 'desc').limit(1).executeTakeFirst()
}

/** The entry of that number. */
export function revocationAt(db: Db, seq: number): Promise<NumberedRevocation | undefined> {
  return db.selectFrom('revocations').select(columns).where('seq', '=', seq).executeTakeFirst()
}

/** Removes entries that can refuse nothing any more, but the last one: it shows whether the table is the one that it was. */
export async function sweepRevocations(
  db: Db,
  { now, limit }: { now: number; limit: number },
): Promise<number> {
  const oldest = db
    .selectFrom('revocations')
    .select('seq')
    .where('expires_at', '<=', now)
    .where('seq', '<', (all) => all.selectFrom('revocations').select(({ fn }) => fn.max('seq').as('last')))
    .orderBy('expires_at')
    .limit(limit)
  const { numDeletedRows } = await db.deleteFrom('revocations').where('seq', 'in', oldest).executeTakeFirst()
  return Number(numDeletedRows)
}
