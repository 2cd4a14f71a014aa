import { recordSeldom } from './audit.ts'
import type { Context, Origin } from './context.ts'
import { changedProfile, type ProfileChange } from './profile.ts'
import { lockAccount, writeProfile } from './store/accounts.ts'
import { inTransaction } from './store/open-store.ts'

/**
 * Changes what a person tells of themselves; of changes at the same time all last. Nothing is written for a
 * change of nothing, nor for an account that is gone.
 */
export async function changeProfile(
  ctx: Context,
  { accountId, change, from }: { accountId: string; change: ProfileChange; from: Origin },
): Promise<void> {
  const now = ctx.clock()
  const fields = Object.keys(change).sort()
  if (fields.length === 0) return
  const event = { type: 'account.profile_changed', at: now, accountId, detail: { fields } } as const
  const done = await inTransaction(ctx.store, async (db) => {
    const account = await lockAccount(db, accountId)
    if (!account) return false
    const name = change.name === undefined ? account.name : change.name
    const profile = changedProfile(account.profile, change)
    await writeProfile(db, { id: accountId, name, profile, now })
    await recordSeldom(db, event, from)
    return true
  })
  if (done) ctx.emit(event)
}
