import { randomBytes } from 'node:crypto'
import { type AccessToken, mintAccessToken } from './access-token.ts'
import { record } from './audit.ts'
import type { Context, Origin } from './context.ts'
import { newId } from './new-id.ts'
import { hashSecret, makeRefreshToken } from './refresh-token.ts'
import { revoke } from './revocation.ts'
import { inTransaction, type Tx } from './store/open-store.ts'
import {
  endAccountSessions,
  endSession as endSessionRow,
  findSession,
  insertSession,
  liveSessions,
  type NewSession,
  type SessionRecord,
} from './store/sessions.ts'

export type { SessionRecord }

export type Transport = 'cookie' | 'header'

/** Both tokens of a session, as they are handed out. */
export interface Tokens {
  readonly sessionId: string
  readonly access: AccessToken
  readonly refreshToken: string
  /** Milliseconds: when the session ends if nobody uses it any more. */
  readonly idleExpiresAt: number
}

export type EndReason =
  | 'logout'
  | 'ended_by_user'
  | 'account_disabled'
  | 'refresh_token_reuse'
  | 'password_changed'
  | 'password_reset'

/**
 * Opens a session for an account that has just proved itself (M2, step 2): one row, two tokens.
 * `alongside` is done in the same transaction, before.
 */
export async function openSession(
  ctx: Context,
  account: { readonly id: string; readonly epoch: number; readonly roles: string; readonly scopes: string },
  { transport, amr, from }: { transport: Transport; amr: readonly string[]; from: Origin },
  alongside: (db: Tx) => Promise<void> = async () => {},
): Promise<Tokens> {
  const now = ctx.clock()
  const { sessionLifetime } = ctx.settings
  const id = newId(now)
  const salt = randomBytes(16).toString('base64url')
  const refreshToken = makeRefreshToken(ctx.secrets[0], { sid: id, generation: 1, salt })
  const expiresAt = now + sessionLifetime * 1000
  const session: NewSession = {
    id,
    accountId: account.id,
    clientId: null,
    salt,
    generation: 1,
    refreshHash: hashSecret(refreshToken),
    rotatedAt: now,
    transport,
    jkt: null,
    authTime: now,
    amr: JSON.stringify(amr),
    userAgent: from.userAgent,
    network: from.network,
    createdAt: now,
    expiresAt,
    idleExpiresAt: idleEnd(ctx, now, expiresAt),
  }
  const access = await mintAccessToken(ctx, { ...session, ...account, id, accountId: account.id })
  const event = { type: 'login.succeeded', at: now, accountId: account.id, sessionId: id } as const
  await inTransaction(ctx.store, async (db) => {
    await alongside(db)
    await insertSession(db, session)
    await record(db, event, from)
  })
  ctx.emit(event)
  return { sessionId: id, access, refreshToken, idleExpiresAt: session.idleExpiresAt }
}

/** Ends a session for good and revokes it, in one transaction. False: it had ended before. */
export async function endSession(
  ctx: Context,
  session: { readonly id: string; readonly accountId: string },
  reason: EndReason,
  from: Origin,
): Promise<boolean> {
  const now = ctx.clock()
  const event = {
    type: 'session.ended',
    at: now,
    accountId: session.accountId,
    sessionId: session.id,
    detail: { reason },
  } as const
  const ended = await inTransaction(ctx.store, async (db) => {
    if (!(await endSessionRow(db, { id: session.id, reason, now }))) return false
    await record(db, event, from)
    await revoke(ctx, db, [{ sid: session.id }])
    return true
  })
  if (ended) ctx.emit(event)
  return ended
}

/** Ends all sessions of an account but one, and revokes them, in one transaction. */
export async function endOtherSessions(
  ctx: Context,
  { accountId, except }: { accountId: string; except: string },
  from: Origin,
): Promise<number> {
  const now = ctx.clock()
  const reason = 'ended_by_user'
  const ended = (id: string) =>
    ({ type: 'session.ended', at: now, accountId, sessionId: id, detail: { reason } }) as const
  const ids = await inTransaction(ctx.store, async (db) => {
    const found = await endAccountSessions(db, { accountId, except, reason, now })
    for (const id of found) await record(db, ended(id), from)
    await revoke(
      ctx,
      db,
      found.map((sid) => ({ sid })),
    )
    return found
  })
  for (const id of ids) ctx.emit(ended(id))
  return ids.length
}

/** The sessions of an account that can still be used, newest first. */
export function listSessions(ctx: Context, accountId: string): Promise<SessionRecord[]> {
  return liveSessions(ctx.store.db, accountId, ctx.clock())
}

/** A session by its id, ended or not. */
export function sessionById(ctx: Context, id: string): Promise<SessionRecord | undefined> {
  return findSession(ctx.store.db, id)
}

/** When a session that was used at `now` ends for want of use. Milliseconds. */
export function idleEnd(ctx: Context, now: number, expiresAt: number): number {
  return Math.min(expiresAt, now + ctx.settings.sessionIdleLifetime * 1000)
}
