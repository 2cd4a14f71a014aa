import { record } from './audit.ts'
import { AuthError } from './auth-error.ts'
import { mailBrakes, spend } from './brakes.ts'
import type { Context, Origin } from './context.ts'
import { changeEmail } from './email-change.ts'
import type { Language } from './language.ts'
import { postLetter, requireMailer } from './mail-queue.ts'
import { type CodeRecord, findCode, issueCode, tryCode, useCode } from './one-time-code.ts'
import { confirmPassword } from './reauthentication.ts'
import { emailOf, verifyEmail } from './store/identifiers.ts'
import { inTransaction, type Tx } from './store/open-store.ts'

/** Asks an account's owner to prove its address; in the transaction that makes the account, or on its own. */
export async function postVerification(
  ctx: Context,
  db: Tx,
  { accountId, email, language }: { accountId: string; email: string; language: Language },
): Promise<void> {
  if (!ctx.settings.mailer) return
  const issued = { purpose: 'verify-email', subject: accountId, accountId, value: email } as const
  const { code, expiresAt } = await issueCode(ctx, db, issued)
  await postLetter(ctx, db, { letter: 'verify-email', to: email, language, code, expiresAt })
}

/**
 * Sends the mail of the registration once more; the code of the one before is void. Refuses with
 * `nothing_to_verify` (409), `too_many_tries` (429), `mail_not_configured` (501).
 */
export async function resendVerification(
  ctx: Context,
  { accountId, from, language }: { accountId: string; from: Origin; language: Language },
): Promise<void> {
  requireMailer(ctx)
  const email = await emailOf(ctx.store.db, accountId)
  if (!email || email.verifiedAt !== null) throw new AuthError('nothing_to_verify')
  await spend(ctx, mailBrakes(from, email))
  await inTransaction(ctx.store, (db) =>
    postVerification(ctx, db, { accountId, email: email.display, language }),
  )
  ctx.wakePostman()
}

export interface EmailProof {
  readonly code: string
  /** Whose session the request came with, if with any. */
  readonly sessionOf: string | undefined
  readonly password?: string | undefined
}

/**
 * Proves an address by a mailed code: the one that the account has, or a new one, which it gets by that
 * (`email-change.ts`). The code shows the mailbox; a session of the account, or its password, shows the account.
 * Both are needed, so that neither somebody who opens a mail that a stranger's registration caused, nor
 * whoever a mistyped address belongs to, puts his mailbox to an account that is not his.
 *
 * Refuses with `invalid_code` (400), `reauthentication_required`, `wrong_password`, `account_disabled` (403),
 * `identifier_taken` (409), `too_many_tries` (429); the code is then as good as before.
 */
export async function proveEmail(
  ctx: Context,
  proof: EmailProof,
  how: { from: Origin; language: Language },
): Promise<void> {
  const found = await tryCode(ctx, how.from, () => findEmailCode(ctx, proof.code))
  if (found.accountId === null) throw new AuthError('invalid_code')
  const { accountId, value: email, purpose } = found
  await requireOwner(ctx, accountId, proof, how.from)
  if (purpose === 'change-email') return changeEmail(ctx, { code: proof.code }, how)

  const verified = { type: 'email.verified', at: ctx.clock(), accountId } as const
  const first = await inTransaction(ctx.store, async (db) => {
    await useCode(ctx, db, { code: proof.code, purpose: 'verify-email' })
    if (!(await verifyEmail(db, { accountId, email, now: verified.at }))) return false
    await record(db, verified, how.from)
    return true
  })
  if (first) ctx.emit(verified)
}

/** A code that proves an address, unused still. */
export async function findEmailCode(ctx: Context, code: string): Promise<CodeRecord | undefined> {
  return (
    (await findCode(ctx, { code, purpose: 'verify-email' })) ??
    (await findCode(ctx, { code, purpose: 'change-email' }))
  )
}

async function requireOwner(
  ctx: Context,
  accountId: string,
  { sessionOf, password }: EmailProof,
  from: Origin,
): Promise<void> {
  if (sessionOf === accountId) return
  if (password === undefined) throw new AuthError('reauthentication_required')
  await confirmPassword(ctx, { accountId, sessionId: undefined, password }, from)
}
