import { sql } from 'kysely'
import type { Db } from './open-store.ts'

/** The longest access-token lifetime, in milliseconds, that this database was ever run with. */
export const LONGEST_ACCESS_LIFETIME = 'longest_access_lifetime'

/** What a setting is now, by whatever replica; 0 when it was never given. */
export async function readSetting(db: Db, key: string): Promise<number> {
  const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst()
  return row?.value ?? 0
}

/** Counts up a setting that counts something, from 0. */
export async function countSetting(db: Db, key: string): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key, value: 1 })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: sql<number>`settings.value + 1` }))
    .execute()
}

/** Keeps the greatest value that a setting was ever given, and returns it. */
export async function raiseSetting(db: Db, key: string, value: number): Promise<number> {
  const row = await db
    .insertInto('settings')
    .values({ key, value })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({
        value: sql<number>`case when settings.value > excluded.value then settings.value else excluded.value end`,
      }),
    )
    .returning('value')
    .executeTakeFirstOrThrow()
  return row.value
}
