import { type Login, openAccount } from './account.ts'
import { registrationBrakes, spend } from './brakes.ts'
import type { Context, Origin } from './context.ts'
import { findAccountTyped } from './find-account.ts'
import { emailIdentifier } from './identifier.ts'
import type { Language } from './language.ts'
import { type Letter, postErrand, requireMailer } from './mail-queue.ts'
import { issueCode, requireCode, useCode } from './one-time-code.ts'
import type { Keep } from './password-reset.ts'
import type { Opening } from './session.ts'
import { emailOf } from './store/identifiers.ts'
import { inTransaction } from './store/open-store.ts'

/**
 * Registration where the mailbox is proved first (`registration: 'verify-first'`). Takes the wish down, and that is
 * all before the answer, which is one for known and unknown addresses. Of what was sent the address alone is
 * kept: whoever opens the mail chooses the password, so that nothing that somebody else put into the request (a
 * password above all) is in the account afterwards. See "Pre-hijacked accounts", Sudhodanan and Paverd,
 * USENIX Security 2022.
 *
 * Refuses with `invalid_identifier` (400), `too_many_tries` (429), `busy` (503).
 */
export async function askToRegister(
  ctx: Context,
  { email, from, language }: { email: string; from: Origin; language: Language },
): Promise<void> {
  const identifier = emailIdentifier(email)
  const { display } = identifier
  requireMailer(ctx)
  await spend(ctx, registrationBrakes(from, identifier))
  await postErrand(ctx, { errand: 'register', email: display, language })
}

/** The errand of {@link askToRegister}, off the request's path: a code, or the word that there is an account. */
export async function writeRegistrationLetter(
  ctx: Context,
  { email, language }: { email: string; language: Language },
  keep: Keep,
): Promise<Letter> {
  const identifier = emailIdentifier(email)
  const at = ctx.clock()
  const account = await findAccountTyped(ctx.store.db, email)
  if (account) {
    const to = (await emailOf(ctx.store.db, account.id))?.display ?? identifier.display
    return { type: 'letter', letter: 'already-registered', to, language, at }
  }
  const to = identifier.display
  return inTransaction(ctx.store, async (db) => {
    const issued = { purpose: 'register', subject: identifier.value, accountId: null, value: to } as const
    const { code, expiresAt } = await issueCode(ctx, db, issued)
    const letter = { type: 'letter', letter: 'finish-registration', to, language, code, at } as const
    await keep(db, letter, expiresAt)
    return letter
  })
}

/**
 * Makes the account of a mailed code, its address proved, and logs its owner in, in one transaction.
 *
 * Refuses with `invalid_code` (400), `identifier_taken` (409), `password_too_short` and its like (400), `too_many_tries`
 * (429); the code is then as good as before.
 */
export async function completeRegistration(
  ctx: Context,
  {
    code,
    ...chosen
  }: { code: string; password: string; name?: string | undefined; username?: string | undefined },
  how: Pick<Opening, 'transport' | 'from' | 'remember' | 'jkt' | 'replaces'>,
): Promise<Login> {
  const { value: email } = await requireCode(ctx, { code, purpose: 'register' }, how.from)
  return openAccount(ctx, { ...chosen, email }, how, {
    verifiedAt: ctx.clock(),
    alongside: async (db) => {
      await useCode(ctx, db, { code, purpose: 'register' })
    },
  })
}
