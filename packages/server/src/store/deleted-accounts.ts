import { sql } from 'kysely'
import type { Db, Tx } from './open-store.ts'

/** The tables whose rows are about the person: they go with the account, at once. */
const OWNED = ['identifiers', 'codes'] as const

/**
 * Leaves a tombstone of an account: its id, its epoch and its times, so that its sessions can say why they
 * ended. All that tells of the person goes. Returns the epoch that refuses every access token of it, or
 * undefined when there is no such account, or its password hash is no longer `passwordHash`.
 */
export async function buryAccount(
  db: Tx,
  { id, passwordHash, now }: { id: string; passwordHash: string | undefined; now: number },
): Promise<number | undefined> {
  const row = await db
    .updateTable('accounts')
    .set({
      name: null,
      password_hash: null,
      profile: null,
      roles: '[]',
      scopes: '[]',
      last_login_at: null,
      updated_at: now,
      deleted_at: now,
      epoch: sql<number>`epoch + 1`,
    })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .$if(passwordHash !== undefined, (query) => query.where('password_hash', '=', passwordHash ?? ''))
    .returning('epoch')
    .executeTakeFirst()
  if (!row) return undefined
  for (const table of OWNED) await db.deleteFrom(table).where('account_id', '=', id).execute()
  await db
    .updateTable('sessions')
    .set({ user_agent: null, network: null, place: null })
    .where('account_id', '=', id)
    .execute()
  return row.epoch
}

/** Removes tombstones of accounts that were deleted before a moment, with the sessions that are left. */
export async function sweepDeletedAccounts(
  db: Db,
  { before, limit }: { before: number; limit: number },
): Promise<number> {
  const oldest = db
    .selectFrom('accounts')
    .select('id')
    .where('deleted_at', 'is not', null)
    .where('deleted_at', '<', before)
    .orderBy('deleted_at')
    .limit(limit)
  const { numDeletedRows } = await db.deleteFrom('accounts').where('id', 'in', oldest).executeTakeFirst()
  return Number(numDeletedRows)
}
