import { audit } from './audit.ts'
import { AuthError } from './auth-error.ts'
import type { Context, Origin } from './context.ts'
import type { SessionRecord } from './session.ts'
import { findAccount } from './store/accounts.ts'

/**
 * Has the person of a session prove once more who they are, before what cannot be undone (OWASP ASVS 5, 7.5).
 * Returns the hash that the password belongs to: what is done should hold on to it.
 *
 * Refuses with `wrong_password` (403, so that no client takes it for a token to renew), also where there is none.
 */
export async function requirePassword(
  ctx: Context,
  session: SessionRecord,
  { password, from }: { password: string; from: Origin },
): Promise<string> {
  const account = await findAccount(ctx.store.db, session.accountId)
  const matches = await ctx.passwords.matches(password, account?.passwordHash)
  if (account?.passwordHash && matches) return account.passwordHash
  const { id: sessionId, accountId } = session
  await audit(ctx, { type: 'account.reauthentication_failed', at: ctx.clock(), accountId, sessionId }, from)
  throw new AuthError('wrong_password')
}
