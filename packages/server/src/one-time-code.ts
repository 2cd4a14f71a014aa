import { randomBytes } from 'node:crypto'
import { AuthError } from './auth-error.ts'
import { addressBrakes, asTry } from './brakes.ts'
import { lifetimeOf, type Purpose } from './code-purpose.ts'
import type { Context, Origin } from './context.ts'
import { hashSecret } from './refresh-token.ts'
import { type CodeRecord, findLiveCode, saveCode, useCode as useCodeRow } from './store/codes.ts'
import type { Tx } from './store/open-store.ts'

export type { CodeRecord }

export interface IssuedCode {
  /** 256 random bits, base64url. The database keeps its SHA-256 alone. */
  readonly code: string
  /** Milliseconds. */
  readonly expiresAt: number
}

/**
 * Makes a code for the mailbox `value`, in the same transaction as the mail that carries it. One of the
 * same purpose that its `subject` has not used is void from then on.
 */
export async function issueCode(
  ctx: Context,
  db: Tx,
  issued: { purpose: Purpose; subject: string; accountId: string | null; value: string },
): Promise<IssuedCode> {
  const code = randomBytes(32).toString('base64url')
  const createdAt = ctx.clock()
  const expiresAt = createdAt + lifetimeOf(issued.purpose, ctx.settings) * 1000
  await saveCode(db, { ...issued, hash: hashSecret(code), createdAt, expiresAt })
  return { code, expiresAt }
}

/** What a code stands for, without using it; undefined when it is wrong, used, replaced or expired. */
export function findCode(
  ctx: Context,
  { code, purpose }: { code: string; purpose: Purpose },
): Promise<CodeRecord | undefined> {
  return findLiveCode(ctx.store.db, { hash: hashSecret(code), purpose, now: ctx.clock() })
}

/** The same for a code that somebody wants to use; refused with `invalid_code` (400), `too_many_tries` (429). */
export function requireCode(
  ctx: Context,
  wanted: { code: string; purpose: Purpose },
  from: Origin,
): Promise<CodeRecord> {
  return tryCode(ctx, from, () => findCode(ctx, wanted))
}

/** Looks a code up as a try of the address that it comes from. Nobody guesses 256 bits: this ends floods. */
export async function tryCode(
  ctx: Context,
  from: Origin,
  find: () => Promise<CodeRecord | undefined>,
): Promise<CodeRecord> {
  const { found } = await asTry(ctx, addressBrakes('codesFromAddress', from), async () => {
    const found = await find()
    return { matches: found !== undefined, found }
  })
  if (!found) throw new AuthError('invalid_code')
  return found
}

/** Uses a code, once: of any number of callers one gets it, the others are refused with `invalid_code` (400). */
export async function useCode(
  ctx: Context,
  db: Tx,
  { code, purpose }: { code: string; purpose: Purpose },
): Promise<CodeRecord> {
  const used = await useCodeRow(db, { hash: hashSecret(code), purpose, now: ctx.clock() })
  if (!used) throw new AuthError('invalid_code')
  return used
}
