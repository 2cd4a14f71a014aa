import type { Step } from './step.ts'

/** The DPoP proofs that were used, so that each works once on all replicas together. */
export const boundSessions: Step = async (db) => {
  await db.schema
    .createTable('dpop_proofs')
    .addColumn('hash', 'text', (column) => column.primaryKey())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('dpop_proofs_expiry').on('dpop_proofs').column('expires_at').execute()
}
