import { recordAll } from './audit.ts'
import type { Context, Origin } from './context.ts'
import type { AuthEvent } from './events.ts'
import { revoke } from './revocation.ts'
import { endings } from './session-endings.ts'
import type { Tx } from './store/open-store.ts'
import { replacePassword as replacePasswordRow } from './store/passwords.ts'
import { endAccountSessions } from './store/sessions.ts'

export interface Replacement {
  readonly accountId: string
  readonly passwordHash: string
  /** Refuses, as an outcome, an account that is not this any more. */
  readonly expected?: { readonly passwordHash: string | null; readonly epoch: number }
  readonly why: 'changed' | 'reset'
  readonly from: Origin
}

/**
 * Puts a new password in the place of the old one, ends every session and refuses every token of the account;
 * last in a transaction. Returns what there is to tell after the commit; undefined when the account is disabled
 * or not what was expected, and nothing was done.
 */
export async function replacePassword(
  ctx: Context,
  db: Tx,
  { accountId, passwordHash, expected, why, from }: Replacement,
): Promise<readonly AuthEvent[] | undefined> {
  const now = ctx.clock()
  const reason = `password_${why}` as const
  const epoch = await replacePasswordRow(db, { id: accountId, passwordHash, expected, now })
  if (epoch === undefined) return undefined
  const sids = await endAccountSessions(db, { accountId, reason, now })
  const events = [
    { type: `password.${why}`, at: now, accountId } as const,
    ...endings(sids, { at: now, accountId, reason }),
  ]
  await recordAll(db, events, from)
  await revoke(ctx, db, [{ accountId, epoch }, ...sids.map((sid) => ({ sid }))])
  return events
}
