import type { Db } from './open-store.ts'
import { prepared } from './prepared.ts'

/** Writes a proof down. False: it is there already; of any number of callers at once, one gets true. */
export async function insertProof(db: Db, proof: { hash: string; expiresAt: number }): Promise<boolean> {
  const rows = await inserted(db, proof)
  return rows.length === 1
}

const inserted = prepared((db, { hash, expiresAt }: { hash: string; expiresAt: number }) =>
  db
    .insertInto('dpop_proofs')
    .values({ hash, expires_at: expiresAt })
    .onConflict((conflict) => conflict.column('hash').doNothing())
    .returning('hash'),
)

/** Forgets proofs that nobody would take any more, the oldest first, at most `limit` of them. Returns how many. */
export async function deleteExpiredProofs(
  db: Db,
  { now, limit }: { now: number; limit: number },
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('dpop_proofs')
    .where('hash', 'in', (proofs) =>
      proofs
        .selectFrom('dpop_proofs')
        .select('hash')
        .where('expires_at', '<', now)
        .orderBy('expires_at')
        .limit(limit),
    )
    .executeTakeFirst()
  return Number(numDeletedRows)
}
