import { releaseAccount } from './brakes.ts'
import type { Context } from './context.ts'
import { identifiersOf } from './store/accounts.ts'

/** Forgets every try that was counted for an account, by any of its identifiers. False: there was none. */
export async function unlockAccount(ctx: Context, accountId: string): Promise<boolean> {
  const identifiers = await identifiersOf(ctx.store.db, accountId)
  return (await releaseAccount(ctx, { id: accountId, identifiers })) > 0
}
