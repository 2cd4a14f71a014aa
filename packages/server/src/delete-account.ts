import type { Source } from './actor.ts'
import { recordAll } from './audit.ts'
import type { Context } from './context.ts'
import { revoke } from './revocation.ts'
import { endings } from './session-endings.ts'
import { buryAccount } from './store/deleted-accounts.ts'
import { inTransaction } from './store/open-store.ts'
import { endAccountSessions } from './store/sessions.ts'

/**
 * Deletes an account, in one transaction: what tells of the person goes at once (and its identifiers are free
 * again), its sessions end with the reason `account_deleted`, and every token of it is refused. A tombstone of
 * ids and times stays for `keepEndedSessions`, the audit log for
 * `keepAudit`.
 *
 * False: there is no such account, or its password hash is no longer `ifPasswordHash`.
 */
export async function deleteAccount(
  ctx: Context,
  {
    accountId,
    ifPasswordHash,
    source,
  }: { accountId: string; ifPasswordHash?: string | undefined; source: Source },
): Promise<boolean> {
  const now = ctx.clock()
  const reason = 'account_deleted'
  const deleted = { type: 'account.deleted', at: now, accountId } as const
  const told = await inTransaction(ctx.store, async (db) => {
    const epoch = await buryAccount(db, { id: accountId, passwordHash: ifPasswordHash, now })
    if (epoch === undefined) return undefined
    const sids = await endAccountSessions(db, { accountId, reason, now })
    const events = [deleted, ...endings(sids, { at: now, accountId, reason })]
    await recordAll(db, events, source)
    await revoke(ctx, db, [{ accountId, epoch }, ...sids.map((sid) => ({ sid }))])
    return events
  })
  for (const event of told ?? []) ctx.emit(event)
  return told !== undefined
}
