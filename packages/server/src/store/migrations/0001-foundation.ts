import type { ColumnDefinitionBuilder } from 'kysely'
import type { Step } from './step.ts'

/** Accounts and what they log in with, sessions, signing keys, revocations, the audit log, settings. */
export const foundation: Step = async (db, kind) => {
  const counter = kind === 'sqlite' ? 'integer' : 'bigserial'
  const asCounter = (column: ColumnDefinitionBuilder) =>
    kind === 'sqlite' ? column.primaryKey().autoIncrement() : column.primaryKey()
  const required = (column: ColumnDefinitionBuilder) => column.notNull()
  const zero = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(0)
  const ofAccount = (column: ColumnDefinitionBuilder) =>
    column.notNull().references('accounts.id').onDelete('cascade')

  await db.schema
    .createTable('accounts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text')
    .addColumn('password_hash', 'text')
    .addColumn('epoch', 'integer', zero)
    .addColumn('roles', 'text', required)
    .addColumn('scopes', 'text', required)
    .addColumn('disabled_at', 'bigint')
    .addColumn('created_at', 'bigint', required)
    .addColumn('updated_at', 'bigint', required)
    .execute()

  await db.schema
    .createTable('identifiers')
    .addColumn('kind', 'text', required)
    .addColumn('value', 'text', required)
    .addColumn('account_id', 'text', ofAccount)
    .addColumn('display', 'text', required)
    .addColumn('verified_at', 'bigint')
    .addColumn('created_at', 'bigint', required)
    .addPrimaryKeyConstraint('identifiers_pk', ['kind', 'value'])
    .execute()
  await db.schema.createIndex('identifiers_account').on('identifiers').column('account_id').execute()

  await db.schema
    .createTable('sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('account_id', 'text', ofAccount)
    .addColumn('client_id', 'text')
    .addColumn('salt', 'text', required)
    .addColumn('generation', 'integer', required)
    .addColumn('refresh_hash', 'text', required)
    .addColumn('attempt_hash', 'text')
    .addColumn('previous_attempt_hash', 'text')
    .addColumn('rotated_at', 'bigint', required)
    .addColumn('shared_generation', 'integer', zero)
    .addColumn('shared_run', 'integer', zero)
    .addColumn('transport', 'text', required)
    .addColumn('jkt', 'text')
    .addColumn('auth_time', 'bigint', required)
    .addColumn('amr', 'text', required)
    .addColumn('user_agent', 'text')
    .addColumn('network', 'text')
    .addColumn('created_at', 'bigint', required)
    .addColumn('expires_at', 'bigint', required)
    .addColumn('idle_expires_at', 'bigint', required)
    .addColumn('ended_at', 'bigint')
    .addColumn('end_reason', 'text')
    .execute()
  await db.schema.createIndex('sessions_account').on('sessions').column('account_id').execute()
  await db.schema.createIndex('sessions_expiry').on('sessions').column('expires_at').execute()

  await db.schema
    .createTable('signing_keys')
    .addColumn('kid', 'text', (column) => column.primaryKey())
    .addColumn('algorithm', 'text', required)
    .addColumn('public_jwk', 'text', required)
    .addColumn('private_wrapped', 'text', required)
    .addColumn('created_at', 'bigint', required)
    .addColumn('active_from', 'bigint', required)
    .addColumn('withdrawn_at', 'bigint')
    .execute()

  await db.schema
    .createTable('revocations')
    .addColumn('seq', counter, asCounter)
    .addColumn('key_hash', 'text', required)
    .addColumn('epoch', 'integer')
    .addColumn('expires_at', 'bigint', required)
    .execute()

  await db.schema
    .createTable('audit')
    .addColumn('seq', counter, asCounter)
    .addColumn('at', 'bigint', required)
    .addColumn('type', 'text', required)
    .addColumn('account_id', 'text')
    .addColumn('session_id', 'text')
    .addColumn('network', 'text')
    .addColumn('detail', 'text', required)
    .execute()
  await db.schema.createIndex('audit_account').on('audit').columns(['account_id', 'seq']).execute()

  await db.schema
    .createTable('settings')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('value', 'bigint', required)
    .execute()
}
