import type { Step } from './step.ts'

/** Which guards have shown the token of the feed; without one, anybody may say that they are a guard. */
export const knownGuards: Step = async (db) => {
  await db.schema
    .alterTable('guards')
    .addColumn('has_token', 'integer', (column) => column.notNull().defaultTo(0))
    .execute()
}
