import { type ColumnDefinitionBuilder, sql } from 'kysely'
import type { Step } from './step.ts'

/**
 * What was tried, so that it is not tried without end. PostgreSQL keeps it out of its log: a try costs no disk sync, and
 * what a crash loses are brakes, no accounts.
 */
export const brakes: Step = async (db, kind) => {
  const required = (column: ColumnDefinitionBuilder) => column.notNull()
  const table = db.schema.createTable('brakes')
  await (kind === 'postgres' ? table.modifyFront(sql`unlogged`) : table)
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('subject', 'text', required)
    .addColumn('at_once', 'bigint', required)
    .addColumn('every', 'bigint', required)
    .addColumn('drained_at', 'bigint', required)
    .addColumn('open_at', 'bigint', required)
    .addColumn('tried_at', 'bigint', required)
    .execute()
  await db.schema.createIndex('brakes_subject').on('brakes').column('subject').execute()
  await db.schema.createIndex('brakes_drained').on('brakes').column('drained_at').execute()
}
