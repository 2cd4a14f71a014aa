import { sql } from 'kysely'
import type { Db } from './open-store.ts'

export interface MailRecord {
  readonly id: string
  readonly sealed: string
  /** How often somebody took it to send it; the taker's mark. */
  readonly attempts: number
  readonly expiresAt: number
}

export interface NewMail {
  readonly id: string
  readonly sealed: string
  readonly now: number
  readonly expiresAt: number
}

export async function insertMail(db: Db, mail: NewMail): Promise<void> {
  await db
    .insertInto('mails')
    .values({
      id: mail.id,
      sealed: mail.sealed,
      attempts: 0,
      created_at: mail.now,
      due_at: mail.now,
      expires_at: mail.expiresAt,
    })
    .execute()
}

/** The same where anybody can ask for it: false, and nothing is kept, while `most` mails or more are waiting. */
export async function insertMailUnlessFull(
  db: Db,
  mail: NewMail,
  { most }: { most: number },
): Promise<boolean> {
  const number = (value: number) => sql`cast(${value} as bigint)`
  const { rows } = await sql`
    insert into mails (id, sealed, attempts, created_at, due_at, expires_at)
    select cast(${mail.id} as text), cast(${mail.sealed} as text), 0,
      ${number(mail.now)}, ${number(mail.now)}, ${number(mail.expiresAt)}
    where (select count(*) from mails) < ${number(most)}
    returning id`.execute(db)
  return rows.length === 1
}

/**
 * Takes mails that are due: of any number of takers one gets a mail, because taking it pushes its `due_at`
 * out to `until`. Whoever then fails, or is killed, leaves it to be taken again at that time.
 */
export function takeDueMails(
  db: Db,
  { now, until, limit }: { now: number; until: number; limit: number },
): Promise<MailRecord[]> {
  const due = db.selectFrom('mails').select('id').where('due_at', '<=', now).orderBy('due_at').limit(limit)
  return db
    .updateTable('mails')
    .set({ due_at: until, attempts: sql<number>`attempts + 1` })
    .where('id', 'in', due)
    .where('due_at', '<=', now)
    .returning(['id', 'sealed', 'attempts', 'expires_at as expiresAt'])
    .execute()
}

/** Puts other words into a mail that was taken. False: it is somebody else's by now. */
export async function rewriteMail(
  db: Db,
  { id, attempts, sealed, expiresAt }: { id: string; attempts: number; sealed: string; expiresAt: number },
): Promise<boolean> {
  const rows = await db
    .updateTable('mails')
    .set({ sealed, expires_at: expiresAt })
    .where('id', '=', id)
    .where('attempts', '=', attempts)
    .returning('id')
    .execute()
  return rows.length === 1
}

/** Pushes a mail that was taken further out. */
export async function postponeMail(
  db: Db,
  { id, attempts, dueAt }: { id: string; attempts: number; dueAt: number },
): Promise<void> {
  await db
    .updateTable('mails')
    .set({ due_at: dueAt })
    .where('id', '=', id)
    .where('attempts', '=', attempts)
    .execute()
}

export async function deleteMail(db: Db, id: string): Promise<void> {
  await db.deleteFrom('mails').where('id', '=', id).execute()
}

/** Deletes up to `limit` mails that are of no use any more, and tells how many there were. */
export async function deleteExpiredMails(
  db: Db,
  { now, limit }: { now: number; limit: number },
): Promise<number> {
  const expired = db.selectFrom('mails').select('id').where('expires_at', '<=', now).limit(limit)
  const rows = await db.deleteFrom('mails').where('id', 'in', expired).returning('id').execute()
  return rows.length
}
