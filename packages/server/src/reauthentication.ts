import { audit } from './audit.ts'
import { AuthError } from './auth-error.ts'
import type { Context, Origin } from './context.ts'
import { type AccountRecord, findAccount } from './store/accounts.ts'

/**
 * The account, once its password was given again: a stolen session alone must not change what it takes to
 * log in. Refuses with `wrong_password` (403), also where there is no password, and with `account_disabled` (403).
 */
export async function confirmPassword(
  ctx: Context,
  { accountId, password }: { accountId: string; password: string },
  from: Origin,
): Promise<AccountRecord> {
  const account = await findAccount(ctx.store.db, accountId)
  if (!account || !(await ctx.passwords.matches(password, account.passwordHash))) {
    await audit(ctx, { type: 'reauthentication.failed', at: ctx.clock(), accountId }, from)
    throw new AuthError('wrong_password')
  }
  if (account.disabledAt !== null) throw new AuthError('account_disabled')
  return account
}
