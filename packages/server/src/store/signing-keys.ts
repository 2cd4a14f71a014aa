import type { Db } from './open-store.ts'

export interface SigningKeyRecord {
  readonly kid: string
  readonly algorithm: string
  readonly publicJwk: string
  readonly privateWrapped: string
  readonly createdAt: number
  readonly activeFrom: number
  readonly withdrawnAt: number | null
  /** The key that it follows by itself, `nothing` for the first one; null for one that somebody asked for. */
  readonly succeeds: string | null
}

/** Every key ever made that may still be needed, the one that signs last first. */
export function allSigningKeys(db: Db): Promise<SigningKeyRecord[]> {
  return db
    .selectFrom('signing_keys')
    .select([
      'kid',
      'algorithm',
      'public_jwk as publicJwk',
      'private_wrapped as privateWrapped',
      'created_at as createdAt',
      'active_from as activeFrom',
      'withdrawn_at as withdrawnAt',
      'succeeds',
    ])
    .orderBy('active_from', 'desc')
    .orderBy('kid')
    .execute()
}

/** False: another replica has made the successor of the same key. */
export async function insertSigningKey(db: Db, key: SigningKeyRecord): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('signing_keys')
    .values({
      kid: key.kid,
      algorithm: key.algorithm,
      public_jwk: key.publicJwk,
      private_wrapped: key.privateWrapped,
      created_at: key.createdAt,
      active_from: key.activeFrom,
      withdrawn_at: key.withdrawnAt,
      succeeds: key.succeeds,
    })
    .onConflict((conflict) => conflict.column('succeeds').doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows > 0n
}

/** Withdraws a key for good, and makes room for another successor of the one before it. False: it was, or is not there. */
export async function withdrawSigningKey(
  db: Db,
  { kid, now }: { kid: string; now: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('signing_keys')
    .set({ withdrawn_at: now, succeeds: null })
    .where('kid', '=', kid)
    .where('withdrawn_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Moves the moment from which a key signs. False: it signs already at `now`, was withdrawn, or is not there. */
export async function rescheduleSigningKey(
  db: Db,
  { kid, activeFrom, now }: { kid: string; activeFrom: number; now: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('signing_keys')
    .set({ active_from: activeFrom })
    .where('kid', '=', kid)
    .where('withdrawn_at', 'is', null)
    .where('active_from', '>', now)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}
