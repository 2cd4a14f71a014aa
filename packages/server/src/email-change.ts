import { record } from './audit.ts'
import { AuthError } from './auth-error.ts'
import { mailBrakes, spend } from './brakes.ts'
import type { Context, Origin } from './context.ts'
import { findAccountTyped } from './find-account.ts'
import { emailIdentifier } from './identifier.ts'
import type { Language } from './language.ts'
import { postLetter, requireMailer } from './mail-queue.ts'
import { issueCode, useCode } from './one-time-code.ts'
import { confirmPassword } from './reauthentication.ts'
import { refusingTaken } from './refusing-taken.ts'
import { insertIdentifier } from './store/accounts.ts'
import { voidAccountCodes } from './store/codes.ts'
import { emailOf, replaceEmail } from './store/identifiers.ts'
import { inTransaction, type Tx } from './store/open-store.ts'

interface How {
  readonly from: Origin
  readonly language: Language
}

/**
 * Begins a change of address: a code goes to the new one, a notice to the old one, and nothing changes until the
 * code is used (`proveEmail`). Whether the new address is somebody's is told to its mailbox alone.
 *
 * Refuses with `wrong_password` (403), `invalid_identifier` (400), `too_many_tries` (429), `mail_not_configured` (501).
 */
export async function askForEmailChange(
  ctx: Context,
  {
    accountId,
    sessionId,
    email,
    password,
  }: { accountId: string; sessionId: string; email: string; password: string },
  { from, language }: How,
): Promise<void> {
  requireMailer(ctx)
  if (!ctx.settings.identifiers.includes('email'))
    throw new AuthError('invalid_identifier', 'This server takes usernames only.')
  const identifier = emailIdentifier(email)
  const { display: to } = identifier
  await confirmPassword(ctx, { accountId, sessionId, password }, from)
  const current = await emailOf(ctx.store.db, accountId)
  await spend(ctx, mailBrakes(from, identifier, ...(current ? [current] : [])))
  const asked = { type: 'email.change_asked', at: ctx.clock(), accountId } as const
  await inTransaction(ctx.store, async (db) => {
    const holder = await findAccountTyped(db, to)
    const issued = { purpose: 'change-email', subject: accountId, accountId, value: to } as const
    const { code, expiresAt } = await issueCode(ctx, db, issued)
    if (holder && holder.id !== accountId)
      await postLetter(ctx, db, { letter: 'address-taken', to, language })
    else await postLetter(ctx, db, { letter: 'change-email', to, language, code, expiresAt })
    const old = await emailOf(db, accountId)
    if (old) await postLetter(ctx, db, { letter: 'email-change-asked', to: old.display, language })
    await record(db, asked, from)
  })
  ctx.emit(asked)
  ctx.wakePostman()
}

/**
 * Uses the code of a change of address. The other codes of the account are void: those in the old mailbox too.
 * Sessions go on: the person has just shown the password or a session, and the old address is told.
 *
 * Refuses with `invalid_code` (400), and with `identifier_taken` (409) when somebody else got the address meanwhile.
 */
export async function changeEmail(
  ctx: Context,
  { code }: { code: string },
  { from, language }: How,
): Promise<void> {
  const now = ctx.clock()
  const changed = await refusingTaken(() =>
    inTransaction(ctx.store, async (db) => {
      const { accountId, value } = await useCode(ctx, db, { code, purpose: 'change-email' })
      if (accountId === null) throw new AuthError('invalid_code')
      await voidAccountCodes(db, { accountId, now })
      const old = await emailOf(db, accountId)
      await setEmail(db, { accountId, email: value, now })
      if (old) await postLetter(ctx, db, { letter: 'email-changed', to: old.display, language })
      const changed = { type: 'email.changed', at: now, accountId } as const
      await record(db, changed, from)
      return changed
    }),
  )
  ctx.emit(changed)
  ctx.wakePostman()
}

async function setEmail(
  db: Tx,
  { accountId, email, now }: { accountId: string; email: string; now: number },
): Promise<void> {
  const identifier = emailIdentifier(email)
  if (await replaceEmail(db, { ...identifier, accountId, now })) return
  await insertIdentifier(db, { ...identifier, accountId, now, verifiedAt: now })
}
