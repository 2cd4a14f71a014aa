import { sql } from 'kysely'
import type { Step } from './step.ts'

/** Who did what from where, time lines of sessions, and an audit log that nobody can change. */
export const auditTrail: Step = async (db, kind) => {
  const audit = db.schema.alterTable('audit')
  for (const column of ['actor', 'done_by', 'device', 'place'])
    await audit.addColumn(column, 'text').execute()
  await db.schema.createIndex('audit_session').on('audit').columns(['session_id', 'seq']).execute()
  await db.schema.createIndex('audit_at').on('audit').column('at').execute()

  await db.schema.alterTable('sessions').addColumn('place', 'text').execute()
  // By its own condition, so that the sweep, which asks for `ended_at`, is not led to it.
  await db.schema
    .createIndex('sessions_account_ended')
    .on('sessions')
    .columns(['account_id', 'ended_at'])
    .where(sql.ref('end_reason'), 'is not', null)
    .execute()

  for (const statement of kind === 'sqlite' ? sqliteTriggers : postgresTriggers) await statement.execute(db)
}

/** The sweep says until when lines may go, in `settings`; whoever may change that could drop the trigger too. */
const sqliteTriggers = [
  // A line that is put in the place of another one (REPLACE) calls no trigger of its removal.
  sql`create trigger audit_not_replaced before insert on audit
    when exists (select 1 from audit where seq = new.seq)
    begin select raise(abort, 'the audit log is append-only'); end`,
  sql`create trigger audit_unchanged before update on audit
    begin select raise(abort, 'the audit log is append-only'); end`,
  sql`create trigger audit_kept before delete on audit
    when old.at >= coalesce((select value from settings where key = 'audit_kept_from'), 0)
    begin select raise(abort, 'the audit log is append-only'); end`,
]

/** By their schema, wherever that goes: another table of the name `settings`, a temporary one above all, is not asked. */
const postgresTriggers = [
  sql`create function audit_append_only() returns trigger language plpgsql
    set search_path = pg_catalog, pg_temp as $$
    declare kept_from bigint;
    begin
      if tg_op = 'DELETE' then
        execute format('select value from %I.settings where key = $1', tg_table_schema)
          into kept_from using 'audit_kept_from';
        if old.at < kept_from then
          return old;
        end if;
      end if;
      raise exception 'the audit log is append-only';
    end $$`,
  sql`create trigger audit_kept before update or delete on audit
    for each row execute function audit_append_only()`,
  sql`create trigger audit_whole before truncate on audit
    for each statement execute function audit_append_only()`,
]
