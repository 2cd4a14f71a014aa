import { sql } from 'kysely'
import type { Db } from './open-store.ts'

/**
 * Puts a new password hash in the place of the old one and raises the epoch, unless the account is disabled, deleted
 * or no longer what was `expected`. Returns the new epoch, or undefined when nothing was done.
 */
export async function replacePassword(
  db: Db,
  {
    id,
    passwordHash,
    expected,
    now,
  }: {
    id: string
    passwordHash: string
    expected?: { readonly passwordHash: string | null; readonly epoch: number } | undefined
    now: number
  },
): Promise<number | undefined> {
  const row = await db
    .updateTable('accounts')
    .set({ password_hash: passwordHash, updated_at: now, epoch: sql<number>`epoch + 1` })
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .$if(expected !== undefined, (query) =>
      query
        .where('password_hash', '=', expected?.passwordHash ?? null)
        .where('epoch', '=', expected?.epoch ?? 0),
    )
    .returning('epoch')
    .executeTakeFirst()
  return row?.epoch
}
