import { createHash } from 'node:crypto'
import type { Context } from './context.ts'
import type { Tx } from './store/open-store.ts'
import { insertRevocations } from './store/revocations.ts'

const MARGIN = 60_000

/** What is revoked: one session, or every token of an account below an epoch. */
export type Revoked = { readonly sid: string } | { readonly accountId: string; readonly epoch: number }

/**
 * Puts revocations where verifiers will hear of them; the last statements of the transaction that ends
 * something. An entry lives as long as a token that it refuses can.
 */
export async function revoke(ctx: Context, db: Tx, what: readonly Revoked[]): Promise<void> {
  const expiresAt = ctx.clock() + ctx.longestAccessLifetime() + MARGIN
  await insertRevocations(
    ctx.store,
    db,
    what.map((entry) =>
      'sid' in entry
        ? { keyHash: hash(`sid:${entry.sid}`), epoch: null, expiresAt }
        : { keyHash: hash(`account:${entry.accountId}`), epoch: entry.epoch, expiresAt },
    ),
  )
}

function hash(key: string): string {
  return createHash('sha256').update(key).digest('base64url')
}
