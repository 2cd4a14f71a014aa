import { AuthError } from './auth-error.ts'
import type { Context, Origin } from './context.ts'
import { unwrap, type WrappingKey, wrap } from './key-wrapping.ts'
import type { Language } from './language.ts'
import type { LetterType } from './letters.ts'
import { newId } from './new-id.ts'
import type { ServerSecret } from './server-secret.ts'
import { insertMail, insertMailUnlessFull } from './store/mails.ts'
import type { Tx } from './store/open-store.ts'

/**
 * What waits to be sent. A *letter* has an addressee. An *errand* is what somebody who is not logged in asked
 * for: whether there is anything to write, and to whom, is found out off the request's path, so that the
 * answer, and the work for it, is one for known and unknown addresses.
 */
export type Mail = Letter | Errand

export interface Letter {
  readonly type: 'letter'
  readonly to: string
  readonly letter: LetterType
  readonly language: Language
  /** The code that its link carries. */
  readonly code?: string
  /** Milliseconds: when it happened. */
  readonly at: number
}

export interface Errand {
  readonly type: 'errand'
  readonly errand: 'reset-password' | 'register'
  /** The address, as it was written. */
  readonly email: string
  readonly language: Language
  /** Who asked, for the audit log. */
  readonly from?: Origin
}

const NOTICE_LIVES = 3 * 86_400_000
const ERRAND_LIVES = 3_600_000
/** So many mails may wait before somebody who is not logged in is answered 503. */
const FULL = 10_000

/** Refuses with `mail_not_configured` (501) where no mail can be sent. */
export function requireMailer(ctx: Context): void {
  if (!ctx.settings.mailer) throw new AuthError('mail_not_configured')
}

/**
 * Puts a letter into the queue, in the transaction of what it tells; `ctx.wakePostman()` comes after the commit.
 * It is kept until it was sent, or until `expiresAt`. Where there is no mailer nobody is told.
 */
export async function postLetter(
  ctx: Context,
  db: Tx,
  letter: Omit<Letter, 'type' | 'at'> & { readonly expiresAt?: number },
): Promise<void> {
  if (!ctx.settings.mailer) return
  const now = ctx.clock()
  const { expiresAt = now + NOTICE_LIVES, ...rest } = letter
  const id = newId(now)
  const sealed = sealMail(ctx, id, { type: 'letter', at: now, ...rest })
  await insertMail(db, { id, sealed, now, expiresAt })
}

/** Puts an errand into the queue. Refuses with `mail_not_configured` (501), and with `busy` (503) when it is full. */
export async function postErrand(ctx: Context, errand: Omit<Errand, 'type'>): Promise<void> {
  requireMailer(ctx)
  const now = ctx.clock()
  const id = newId(now)
  const sealed = sealMail(ctx, id, { type: 'errand', ...errand })
  const mail = { id, sealed, now, expiresAt: now + ERRAND_LIVES }
  if (!(await insertMailUnlessFull(ctx.store.db, mail, { most: FULL }))) throw new AuthError('busy')
  ctx.wakePostman()
}

/** How a mail is kept: encrypted, bound to its row. */
export function sealMail({ secrets: [newest] }: Context, id: string, mail: Mail): string {
  return wrap(mailKey(newest), JSON.stringify(mail), `mail:${id}`)
}

/** A mail out of its row; undefined when none of our secrets opens it. */
export function openMail({ secrets }: Context, id: string, sealed: string): Mail | undefined {
  const opened = unwrap(secrets.map(mailKey), sealed, `mail:${id}`)
  return opened === undefined ? undefined : parseMail(opened)
}

/** Authenticated: nobody but {@link sealMail} wrote it. */
function parseMail(text: string): Mail {
  return JSON.parse(text)
}

function mailKey({ k, mailKey }: ServerSecret): WrappingKey {
  return { k, wrappingKey: mailKey }
}
