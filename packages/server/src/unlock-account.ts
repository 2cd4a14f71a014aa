import type { Admin } from './actor.ts'
import { record } from './audit.ts'
import { releaseAccount } from './brakes.ts'
import type { Context } from './context.ts'
import { identifiersOf } from './store/accounts.ts'

/** Forgets every try that was counted for an account, by any of its identifiers. False: there was none. */
export async function unlockAccount(ctx: Context, accountId: string): Promise<boolean> {
  const identifiers = await identifiersOf(ctx.store.db, accountId)
  return (await releaseAccount(ctx, { id: accountId, identifiers })) > 0
}

/** The same as an act of an administrator, which is written down when there was something to forget. */
export async function unlockAccountFor(ctx: Context, accountId: string, admin: Admin): Promise<boolean> {
  if (!(await unlockAccount(ctx, accountId))) return false
  const unlocked = { type: 'account.unlocked', at: ctx.clock(), accountId } as const
  await record(ctx.store.db, unlocked, admin)
  ctx.emit(unlocked)
  return true
}
