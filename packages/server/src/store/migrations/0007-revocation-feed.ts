import type { Step } from './step.ts'

/** Withdrawn keys in the revocation feed, one successor a signing key, and the guards that were heard of. */
export const revocationFeed: Step = async (db) => {
  await db.schema.alterTable('revocations').addColumn('kid', 'text').execute()

  await db.schema.alterTable('signing_keys').addColumn('succeeds', 'text').execute()
  await db.schema
    .createIndex('signing_keys_succeeds')
    .on('signing_keys')
    .column('succeeds')
    .unique()
    .execute()

  await db.schema
    .createTable('guards')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('keys_version', 'text', (column) => column.notNull())
    .addColumn('seen_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('guards_seen').on('guards').column('seen_at').execute()
}
