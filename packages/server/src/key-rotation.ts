import { record } from './audit.ts'
import type { Context } from './context.ts'
import { keyMade, PUBLISH_AHEAD, type SigningKeyStatus } from './signing-keys.ts'
import { inTransaction } from './store/open-store.ts'
import { insertSigningKey, rescheduleSigningKey } from './store/signing-keys.ts'

/** A successor is published a day before it signs: time for the slowest cache of anybody's. Milliseconds. */
const NOTICE = 86_400_000

/**
 * Makes the successor of the signing key when its time has come, `signingKeyLifetime` after it began to sign. Any number of replicas may
 * try at once: one conditional insert decides.
 */
export async function rotateInTime(ctx: Context): Promise<void> {
  const lifetime = ctx.settings.signingKeyLifetime * 1000
  if (lifetime === 0) return
  const now = ctx.clock()
  const keys = await ctx.signingKeys.list()
  const newest = keys.find(({ status }) => status !== 'withdrawn')
  if (!newest || newest.activeFrom > now) return
  const due = newest.activeFrom + lifetime
  if (now < due - Math.min(NOTICE, lifetime / 2)) return
  const activeFrom = Math.max(due, now + PUBLISH_AHEAD)
  const made = ctx.signingKeys.draft({ activeFrom, succeeds: newest.kid })
  const event = keyMade(made)
  const isOurs = await inTransaction(ctx.store, async (db) => {
    if (!(await insertSigningKey(db, made))) return false
    await record(db, event)
    return true
  })
  if (!isOurs) return
  await ctx.signingKeys.list()
  ctx.emit(event)
}

/** Has a key that does not sign yet wait for another ten minutes from now on. Undefined: it signs already, or is not there. */
export async function postponeKey(ctx: Context, kid: string): Promise<SigningKeyStatus | undefined> {
  const now = ctx.clock()
  await rescheduleSigningKey(ctx.store.db, { kid, activeFrom: now + PUBLISH_AHEAD, now })
  const keys = await ctx.signingKeys.list()
  return keys.find((key) => key.kid === kid && key.status === 'next')
}
