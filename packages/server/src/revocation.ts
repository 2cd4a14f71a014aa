import { createHash } from 'node:crypto'
import { accountHash, sessionHash } from '@mapae/guard/revocations'
import type { Context } from './context.ts'
import type { Tx } from './store/open-store.ts'
import { insertRevocations, type RevocationRecord } from './store/revocations.ts'
import { LONGEST_ACCESS_LIFETIME, readSetting } from './store/settings.ts'

const MARGIN = 60_000
/** A withdrawn key can be in key sets that somebody keeps while the server cannot be reached; those of guards for 24 days at most. */
const KEY_REMEMBERED = 30 * 86_400_000

/** What is revoked: one session, every token of an account below an epoch, or every token that a key has signed. */
export type Revoked =
  | { readonly sid: string }
  | { readonly accountId: string; readonly epoch: number }
  | { readonly kid: string }

/**
 * Puts revocations where verifiers will hear of them; the last statements of the transaction that ends
 * something. An entry lives as long as a token that it refuses can.
 */
export async function revoke(ctx: Context, db: Tx, what: readonly Revoked[]): Promise<void> {
  if (what.length === 0) return
  const now = ctx.clock()
  // Read here: a replica with a longer lifetime may have been started since this one was.
  const expiresAt = now + (await readSetting(db, LONGEST_ACCESS_LIFETIME)) + MARGIN
  await insertRevocations(
    ctx.store,
    db,
    what.map((entry) =>
      recordOf(entry, { expiresAt, keyExpiresAt: Math.max(expiresAt, now + KEY_REMEMBERED) }),
    ),
  )
}

function recordOf(
  entry: Revoked,
  { expiresAt, keyExpiresAt }: { expiresAt: number; keyExpiresAt: number },
): RevocationRecord {
  if ('sid' in entry) return { keyHash: base64url(sessionHash(entry.sid)), epoch: null, kid: null, expiresAt }
  if ('kid' in entry)
    return { keyHash: hashOfKey(entry.kid), epoch: null, kid: entry.kid, expiresAt: keyExpiresAt }
  return { keyHash: base64url(accountHash(entry.accountId)), epoch: entry.epoch, kid: null, expiresAt }
}

function hashOfKey(kid: string): string {
  return createHash('sha256').update(`key:${kid}`).digest('base64url')
}

function base64url(hexadecimal: string): string {
  return Buffer.from(hexadecimal, 'hex').toString('base64url')
}
