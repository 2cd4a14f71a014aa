import type { Db } from './open-store.ts'

export interface CodeRecord {
  readonly hash: string
  readonly purpose: string
  readonly subject: string
  readonly accountId: string | null
  readonly value: string
  readonly createdAt: number
  readonly expiresAt: number
}

const columns = [
  'hash',
  'purpose',
  'subject',
  'account_id as accountId',
  'value',
  'created_at as createdAt',
  'expires_at as expiresAt',
] as const

/** Keeps a code. One of the same subject and purpose that was not used yet makes room for it. */
export async function saveCode(db: Db, code: CodeRecord): Promise<void> {
  await db
    .insertInto('codes')
    .values({
      hash: code.hash,
      purpose: code.purpose,
      subject: code.subject,
      account_id: code.accountId,
      value: code.value,
      created_at: code.createdAt,
      expires_at: code.expiresAt,
      used_at: null,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['subject', 'purpose'])
        .where('used_at', 'is', null)
        .doUpdateSet((row) => ({
          hash: row.ref('excluded.hash'),
          account_id: row.ref('excluded.account_id'),
          value: row.ref('excluded.value'),
          created_at: row.ref('excluded.created_at'),
          expires_at: row.ref('excluded.expires_at'),
        })),
    )
    .execute()
}

/** A code that can still be used, without using it. */
export function findLiveCode(
  db: Db,
  { hash, purpose, now }: { hash: string; purpose: string; now: number },
): Promise<CodeRecord | undefined> {
  return db
    .selectFrom('codes')
    .select(columns)
    .where('hash', '=', hash)
    .where('purpose', '=', purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/** The one statement that uses a code: of any number of callers, one gets it. */
export function useCode(
  db: Db,
  { hash, purpose, now }: { hash: string; purpose: string; now: number },
): Promise<CodeRecord | undefined> {
  return db
    .updateTable('codes')
    .set({ used_at: now })
    .where('hash', '=', hash)
    .where('purpose', '=', purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(columns)
    .executeTakeFirst()
}

/** Makes every code of an account void. */
export async function voidAccountCodes(
  db: Db,
  { accountId, now }: { accountId: string; now: number },
): Promise<void> {
  await db
    .updateTable('codes')
    .set({ used_at: now })
    .where('account_id', '=', accountId)
    .where('used_at', 'is', null)
    .execute()
}

/** Deletes up to `limit` codes whose time is over, and tells how many there were. */
export async function deleteExpiredCodes(
  db: Db,
  { now, limit }: { now: number; limit: number },
): Promise<number> {
  const expired = db.selectFrom('codes').select('hash').where('expires_at', '<=', now).limit(limit)
  const rows = await db.deleteFrom('codes').where('hash', 'in', expired).returning('hash').execute()
  return rows.length
}
