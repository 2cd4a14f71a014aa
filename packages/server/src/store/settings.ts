import { sql } from 'kysely'
import type { Db } from './open-store.ts'

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
