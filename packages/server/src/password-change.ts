import { sessionBrakes, spend } from './brakes.ts'
import type { Context } from './context.ts'
import type { AuthEvent } from './events.ts'
import { makeDeviceToken } from './known-device.ts'
import type { Language } from './language.ts'
import { postLetter } from './mail-queue.ts'
import { replacePassword } from './password-replacement.ts'
import { wordsOfAccount } from './password-words.ts'
import { confirmPassword } from './reauthentication.ts'
import { type Opening, openSession, type Tokens } from './session.ts'
import { type AccountRecord, identifiersOf } from './store/accounts.ts'
import { voidAccountCodes } from './store/codes.ts'
import { emailOf } from './store/identifiers.ts'
import type { Tx } from './store/open-store.ts'
import { StoreError } from './store/store-error.ts'

/** The new session is kept, and bound to a key, as the caller's was. */
interface How extends Pick<Opening, 'transport' | 'from' | 'remember' | 'jkt'> {
  readonly language: Language
}

/** An account can change between the comparison and the statement, but only while others get on. */
const TRIES = 3

/**
 * Changes the password of somebody who is logged in. In one transaction every session ends (`end_reason`
 * `password_changed`), every token and every mailed code of the account is refused from then on, and a new
 * session is opened for the caller. The person is told by mail.
 *
 * Refuses with `wrong_password` (403), `password_too_short` and its like (400), `too_many_tries` (429).
 */
export async function changePassword(
  ctx: Context,
  {
    accountId,
    sessionId,
    currentPassword,
    newPassword,
  }: { accountId: string; sessionId: string; currentPassword: string; newPassword: string },
  how: How,
): Promise<{ readonly tokens: Tokens; readonly deviceToken: string }> {
  const confirmed = () => confirmPassword(ctx, { accountId, sessionId, password: currentPassword }, how.from)
  let account = await confirmed()
  await spend(ctx, sessionBrakes(accountId))
  const words = wordsOfAccount(await identifiersOf(ctx.store.db, accountId))
  const passwordHash = await ctx.passwords.hashNew(newPassword, words)
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const tokens = await openWithNewPassword(ctx, account, passwordHash, how)
    if (tokens) return { tokens, deviceToken: makeDeviceToken(ctx, { id: accountId, passwordHash }) }
    account = await confirmed()
  }
  throw new StoreError('unavailable', 'the account changed faster than it could be compared')
}

/** The new session; undefined when the account was no longer what was compared, and nothing was done. */
async function openWithNewPassword(
  ctx: Context,
  account: AccountRecord,
  passwordHash: string,
  { language, ...how }: How,
): Promise<Tokens | undefined> {
  const { id: accountId, epoch } = account
  let events: readonly AuthEvent[] = []
  const replace = async (db: Tx) => {
    await voidAccountCodes(db, { accountId, now: ctx.clock() })
    const email = await emailOf(db, accountId)
    if (email) await postLetter(ctx, db, { letter: 'password-changed', to: email.display, language })
    const replaced = await replacePassword(ctx, db, {
      accountId,
      passwordHash,
      expected: account,
      why: 'changed',
      from: how.from,
    })
    if (!replaced) throw new StoreError('conflict', 'the account changed')
    events = replaced
  }
  try {
    const tokens = await openSession(ctx, { ...account, epoch: epoch + 1 }, { ...how, amr: ['pwd'] }, replace)
    for (const event of events) ctx.emit(event)
    ctx.wakePostman()
    return tokens
  } catch (thrown) {
    if (thrown instanceof StoreError && thrown.code === 'conflict') return undefined
    throw thrown
  }
}
