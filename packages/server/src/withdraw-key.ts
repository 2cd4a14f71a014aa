import type { Admin } from './actor.ts'
import { record } from './audit.ts'
import type { Context } from './context.ts'
import { revoke } from './revocation.ts'
import { keyMade, type SigningKeyStatus } from './signing-keys.ts'
import { inTransaction, type Tx } from './store/open-store.ts'
import {
  insertSigningKey,
  rescheduleSigningKey,
  type SigningKeyRecord,
  withdrawSigningKey,
} from './store/signing-keys.ts'

/** What signs after a key was withdrawn; `type` tells whether anything was done. */
export type Withdrawal =
  | { readonly type: 'withdrawn'; readonly signing: SigningKeyStatus | undefined }
  | { readonly type: 'withdrawn_before' }
  | { readonly type: 'unknown' }

/** Replicas whose clocks are behind, by 30 s at most, must sign with the successor at once as well. Milliseconds. */
const BACKDATED = 60_000

/**
 * Stops a signing key, for good and in one transaction: from then on it proves nothing, guards hear of it through the revocation feed,
 * and where it was the one that signs, another signs at once: the next one, which guards hold already, or a new one. Nobody is logged out:
 * a renewal takes a token of it as sent, and the refresh token decides.
 */
export async function withdrawKey(ctx: Context, kid: string, admin: Admin): Promise<Withdrawal> {
  const keys = await ctx.signingKeys.list()
  const target = keys.find((key) => key.kid === kid)
  if (!target) return { type: 'unknown' }
  const now = ctx.clock()
  const others = keys.filter((key) => key.kid !== kid && key.status !== 'withdrawn')
  const next = others.findLast(({ status }) => status === 'next')
  const lastActive = others.find(({ activeFrom }) => activeFrom <= now)
  const activeFrom = Math.max(now - BACKDATED, (lastActive?.activeFrom ?? 0) + 1)
  const made =
    target.status === 'active' && !next ? ctx.signingKeys.draft({ activeFrom, succeeds: null }) : undefined

  const event = { type: 'signing_key.withdrawn', at: now, detail: { kid } } as const
  const done = await inTransaction(ctx.store, async (db) => {
    if (!(await withdrawSigningKey(db, { kid, now }))) return false
    if (made) await insertMade(db, made, admin)
    else if (target.status === 'active' && next)
      await rescheduleSigningKey(db, { kid: next.kid, activeFrom, now })
    await record(db, event, admin)
    await revoke(ctx, db, [{ kid }])
    return true
  })
  if (!done) return { type: 'withdrawn_before' }
  ctx.emit(event)
  if (made) ctx.emit(keyMade(made))
  const left = await ctx.signingKeys.list()
  return { type: 'withdrawn', signing: left.find(({ status }) => status === 'active') }
}

async function insertMade(db: Tx, made: SigningKeyRecord, admin: Admin): Promise<void> {
  await insertSigningKey(db, made)
  await record(db, keyMade(made), admin)
}
