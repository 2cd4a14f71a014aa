import { sql } from 'kysely'
import { emailKey, usernameKey } from '../identifier-key.ts'
import type { Step } from './step.ts'

/**
 * Gives identifiers the keys of `store/identifier-key.ts`. Of two accounts that then would have one, the later keeps its former
 * key, by which it is still found. Plain ASCII is its own key.
 */
export const identifierKeys: Step = async (db) => {
  const { rows } = await sql<{ kind: string; value: string }>`
    select kind, value from identifiers where octet_length(value) <> length(value) order by created_at, account_id`.execute(
    db,
  )
  for (const { kind, value } of rows) {
    const key = kind === 'email' ? emailKey(value) : usernameKey(value)
    if (key === value) continue
    await sql`update identifiers set value = ${key} where kind = ${kind} and value = ${value}
      and not exists (select 1 from identifiers where kind = ${kind} and value = ${key})`.execute(db)
  }
}
