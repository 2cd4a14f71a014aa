import { sql } from 'kysely'
import type { IdentifierRecord } from './accounts.ts'
import type { Db } from './open-store.ts'
import { StoreError } from './store-error.ts'

/** The e-mail address of an account, if it has one. */
export function emailOf(db: Db, accountId: string): Promise<IdentifierRecord | undefined> {
  return db
    .selectFrom('identifiers')
    .select(['kind', 'value', 'display', 'verified_at as verifiedAt'])
    .where('account_id', '=', accountId)
    .where('kind', '=', 'email')
    .executeTakeFirst()
}

/**
 * Marks an account's address as proved: the one that a code was sent to, as it is written. False: it was already, or is not
 * the account's any more.
 */
export async function verifyEmail(
  db: Db,
  { accountId, email, now }: { accountId: string; email: string; now: number },
): Promise<boolean> {
  const rows = await db
    .updateTable('identifiers')
    .set({ verified_at: now })
    .where('kind', '=', 'email')
    .where('display', '=', email)
    .where('account_id', '=', accountId)
    .where('verified_at', 'is', null)
    .returning('value')
    .execute()
  return rows.length === 1
}

/** Gives an identifier another key. Nothing happens where another account has that one, or gets it at the same moment. */
export async function renewKey(
  db: Db,
  { kind, from, to }: { kind: string; from: string; to: string },
): Promise<void> {
  try {
    await sql`update identifiers set value = ${to} where kind = ${kind} and value = ${from}
      and not exists (select 1 from identifiers where kind = ${kind} and value = ${to})`.execute(db)
  } catch (thrown) {
    if (!(thrown instanceof StoreError) || thrown.code !== 'duplicate') throw thrown
  }
}

/** Puts a proved address in the place of an account's. False: it had none. Throws `StoreError` `duplicate`. */
export async function replaceEmail(
  db: Db,
  { accountId, value, display, now }: { accountId: string; value: string; display: string; now: number },
): Promise<boolean> {
  const rows = await db
    .updateTable('identifiers')
    .set({ value, display, verified_at: now })
    .where('account_id', '=', accountId)
    .where('kind', '=', 'email')
    .returning('value')
    .execute()
  return rows.length === 1
}
