import type { Admin } from './actor.ts'
import type { Context } from './context.ts'
import { endSessionsOf } from './session.ts'
import { accountsWithSessions } from './store/sessions.ts'

const AT_ONCE = 20

/**
 * Ends every session of everybody, account by account; one that begins meanwhile may go on. Returns how many there were. Broken off, it is
 * begun again.
 */
export async function endEverySession(ctx: Context, admin: Admin): Promise<number> {
  let ended = 0
  let after: string | undefined = ''
  while (after !== undefined) {
    const accounts: readonly string[] = await accountsWithSessions(ctx.store.db, { after, limit: AT_ONCE })
    for (const accountId of accounts) ended += await endSessionsOf(ctx, accountId, admin)
    after = accounts.at(-1)
  }
  return ended
}
