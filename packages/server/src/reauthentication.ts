import { AuthError } from './auth-error.ts'
import { asTry, reauthenticationBrakes } from './brakes.ts'
import type { Context, Origin } from './context.ts'
import { type AccountRecord, findAccount } from './store/accounts.ts'
import { tellFailure } from './tell-failure.ts'

/**
 * The account, once its password was given again: a stolen session alone must not change what it takes to
 * log in, nor be a place to guess the password at: each session has tries of its own, so that a thief of one keeps
 * the owner of another out of nothing.
 *
 * Refuses with `wrong_password` (403), also where there is no password, `account_disabled` (403), `too_many_tries` (429).
 */
export async function confirmPassword(
  ctx: Context,
  { accountId, sessionId, password }: { accountId: string; sessionId: string | undefined; password: string },
  from: Origin,
): Promise<AccountRecord> {
  const { account, matches } = await ctx.passwords.enter(async (place) => {
    const account = await findAccount(ctx.store.db, accountId)
    return asTry(ctx, reauthenticationBrakes(accountId, sessionId), async () => ({
      account,
      matches: await place.matches(password, account?.passwordHash),
    }))
  })
  if (!account || !matches) {
    await tellFailure(ctx, { type: 'reauthentication.failed', at: ctx.clock(), accountId }, from)
    throw new AuthError('wrong_password')
  }
  if (account.disabledAt !== null) throw new AuthError('account_disabled')
  return account
}
