import { sql } from 'kysely'
import type { Step } from './step.ts'

/** Profiles, deleted accounts, sessions that are not remembered, and what the sweep finds its rows by. */
export const accountLife: Step = async (db) => {
  const accounts = db.schema.alterTable('accounts')
  await accounts.addColumn('profile', 'text').execute()
  await accounts.addColumn('last_login_at', 'bigint').execute()
  await accounts.addColumn('deleted_at', 'bigint').execute()
  await db.schema
    .createIndex('accounts_deleted')
    .on('accounts')
    .column('deleted_at')
    .where(sql.ref('deleted_at'), 'is not', null)
    .execute()

  const sessions = db.schema.alterTable('sessions')
  await sessions.addColumn('remembered', 'integer', (column) => column.notNull().defaultTo(1)).execute()
  // Zero has the first sweep look at every older row once.
  await sessions.addColumn('sweep_at', 'bigint', (column) => column.notNull().defaultTo(0)).execute()
  await db.schema.dropIndex('sessions_expiry').execute()
  await db.schema
    .createIndex('sessions_sweep')
    .on('sessions')
    .column('sweep_at')
    .where(sql.ref('ended_at'), 'is', null)
    .execute()
  await db.schema
    .createIndex('sessions_ended')
    .on('sessions')
    .column('ended_at')
    .where(sql.ref('ended_at'), 'is not', null)
    .execute()
  await db.schema
    .createIndex('sessions_live')
    .on('sessions')
    .column('account_id')
    .where(sql.ref('ended_at'), 'is', null)
    .execute()

  await db.schema.createIndex('revocations_expiry').on('revocations').column('expires_at').execute()
}
