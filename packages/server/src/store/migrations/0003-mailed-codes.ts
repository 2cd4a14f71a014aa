import { type ColumnDefinitionBuilder, sql } from 'kysely'
import type { Step } from './step.ts'

/** Codes that people get by mail, and the mails that wait to be sent. */
export const mailedCodes: Step = async (db) => {
  const required = (column: ColumnDefinitionBuilder) => column.notNull()

  await db.schema
    .createTable('codes')
    .addColumn('hash', 'text', (column) => column.primaryKey())
    .addColumn('purpose', 'text', required)
    .addColumn('subject', 'text', required)
    .addColumn('account_id', 'text', (column) => column.references('accounts.id').onDelete('cascade'))
    .addColumn('value', 'text', required)
    .addColumn('created_at', 'bigint', required)
    .addColumn('expires_at', 'bigint', required)
    .addColumn('used_at', 'bigint')
    .execute()
  // At most one code of a purpose is live: a newer one takes the place of the older in the same statement.
  await db.schema
    .createIndex('codes_live')
    .unique()
    .on('codes')
    .columns(['subject', 'purpose'])
    .where(sql.ref('used_at'), 'is', null)
    .execute()
  await db.schema.createIndex('codes_account').on('codes').column('account_id').execute()
  await db.schema.createIndex('codes_expiry').on('codes').column('expires_at').execute()

  await db.schema
    .createTable('mails')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('sealed', 'text', required)
    .addColumn('attempts', 'integer', required)
    .addColumn('created_at', 'bigint', required)
    .addColumn('due_at', 'bigint', required)
    .addColumn('expires_at', 'bigint', required)
    .execute()
  await db.schema.createIndex('mails_due').on('mails').column('due_at').execute()
}
