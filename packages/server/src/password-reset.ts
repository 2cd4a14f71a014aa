import type { Admin, Source } from './actor.ts'
import { record } from './audit.ts'
import { AuthError } from './auth-error.ts'
import { resetMailBrakes, spend } from './brakes.ts'
import type { Context, Origin } from './context.ts'
import type { AuthEvent } from './events.ts'
import { findAccountTyped } from './find-account.ts'
import { emailIdentifier } from './identifier.ts'
import { makeDeviceToken } from './known-device.ts'
import { type Language, preferredLanguage } from './language.ts'
import { type Letter, postErrand, postLetter, requireMailer } from './mail-queue.ts'
import { issueCode, requireCode, useCode } from './one-time-code.ts'
import { replacePassword } from './password-replacement.ts'
import { wordsOfAccount } from './password-words.ts'
import { parseProfile } from './profile.ts'
import { findAccount, identifiersOf } from './store/accounts.ts'
import { voidAccountCodes } from './store/codes.ts'
import { emailOf, verifyEmail } from './store/identifiers.ts'
import { inTransaction, type Tx } from './store/open-store.ts'
import { unlockAccount } from './unlock-account.ts'

/**
 * Takes the wish for a reset down. That is all that is done before the answer, whether the address is known
 * or not. Refuses with `invalid_identifier` (400), `too_many_tries` (429), `mail_not_configured` (501), `busy` (503).
 */
export async function askForPasswordReset(
  ctx: Context,
  { email, language, from }: { email: string; language: Language; from: Origin },
): Promise<void> {
  const identifier = emailIdentifier(email)
  const { display } = identifier
  requireMailer(ctx)
  await spend(ctx, resetMailBrakes(from, identifier))
  const asking = { ...from, address: null }
  await postErrand(ctx, { errand: 'reset-password', email: display, language, from: asking })
}

/** Puts a letter in the place of its errand, in the transaction that issues the letter's code. */
export type Keep = (db: Tx, letter: Letter, expiresAt: number) => Promise<void>

/**
 * The errand of {@link askForPasswordReset}, off the request's path. The letter goes to the address that the
 * account has, never to the one that was typed. Undefined: nobody is written to.
 */
export async function writeResetLetter(
  ctx: Context,
  { email, language, from }: { email: string; language: Language; from?: Origin },
  keep: Keep,
): Promise<Letter | undefined> {
  const account = await findAccountTyped(ctx.store.db, email)
  if (!account || account.disabledAt !== null) return undefined
  return issueReset(ctx, { accountId: account.id, language, source: from }, keep)
}

/**
 * Has a mail to reset the password with sent to an account's address, in the name of an administrator, who sees no code and chooses no
 * password; in the language of the account's `locale`. False: there is no such account, it is disabled, or has no address. Refuses with
 * `mail_not_configured`.
 */
export async function sendPasswordReset(ctx: Context, accountId: string, admin: Admin): Promise<boolean> {
  requireMailer(ctx)
  const account = await findAccount(ctx.store.db, accountId)
  if (!account || account.disabledAt !== null) return false
  const language = preferredLanguage(parseProfile(account.profile).locale)
  const issued = await issueReset(ctx, { accountId, language, source: admin }, (db, letter, expiresAt) =>
    postLetter(ctx, db, { ...letter, expiresAt }),
  )
  if (issued) ctx.wakePostman()
  return issued !== undefined
}

async function issueReset(
  ctx: Context,
  { accountId, language, source }: { accountId: string; language: Language; source: Source | undefined },
  keep: Keep,
): Promise<Letter | undefined> {
  const asked = { type: 'password.reset_asked', at: ctx.clock(), accountId } as const
  const letter = await inTransaction(ctx.store, async (db) => {
    const to = (await emailOf(db, accountId))?.display
    if (to === undefined) return undefined
    const issued = { purpose: 'reset-password', subject: accountId, accountId, value: to } as const
    const { code, expiresAt } = await issueCode(ctx, db, issued)
    const letter = { type: 'letter', letter: 'reset-password', to, language, code, at: asked.at } as const
    await keep(db, letter, expiresAt)
    await record(db, asked, source)
    return letter
  })
  if (letter) ctx.emit(asked)
  return letter
}

/**
 * Sets a new password by a mailed code. Every session ends (`end_reason` `password_reset`), every token and every
 * other code of the account is void: whoever made or held the account before is out, and a change of address
 * that he began is off. The code proves the address that it was sent to. Nobody is logged in: who holds a
 * mailbox shows with the next login that he knows the new password too. The tries at the account are forgotten, and the
 * device that did this is known: so there is a way in, however long somebody else guesses at it.
 *
 * Refuses with `invalid_code` (400), `account_disabled` (403), `password_too_short` and its like (400), `too_many_tries`
 * (429); the code is then as good as before.
 */
export async function resetPassword(
  ctx: Context,
  { code, password }: { code: string; password: string },
  { from, language }: { from: Origin; language: Language },
): Promise<{ readonly deviceToken: string }> {
  const { accountId: whose } = await requireCode(ctx, { code, purpose: 'reset-password' }, from)
  const words = whose === null ? [] : wordsOfAccount(await identifiersOf(ctx.store.db, whose))
  const passwordHash = await ctx.passwords.hashNew(password, words)
  const now = ctx.clock()
  const { id, events } = await inTransaction(ctx.store, async (db): Promise<Reset> => {
    const { accountId, value: email } = await useCode(ctx, db, { code, purpose: 'reset-password' })
    if (accountId === null) throw new AuthError('invalid_code')
    await voidAccountCodes(db, { accountId, now })
    await postLetter(ctx, db, { letter: 'password-reset', to: email, language })
    const verified = await recordProof(db, { accountId, email, now, from })
    const replaced = await replacePassword(ctx, db, { accountId, passwordHash, why: 'reset', from })
    if (!replaced) throw new AuthError('account_disabled')
    return { id: accountId, events: [...verified, ...replaced] }
  })
  for (const event of events) ctx.emit(event)
  ctx.wakePostman()
  await unlockAccount(ctx, id).catch((error: unknown) => ctx.emit({ type: 'error', at: ctx.clock(), error }))
  return { deviceToken: makeDeviceToken(ctx, { id, passwordHash }) }
}

interface Reset {
  readonly id: string
  readonly events: readonly AuthEvent[]
}

async function recordProof(
  db: Tx,
  { accountId, email, now, from }: { accountId: string; email: string; now: number; from: Origin },
): Promise<readonly AuthEvent[]> {
  if (!(await verifyEmail(db, { accountId, email, now }))) return []
  const verified = { type: 'email.verified', at: now, accountId } as const
  await record(db, verified, from)
  return [verified]
}
