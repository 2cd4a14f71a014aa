import { randomBytes } from 'node:crypto'
import { type AccessToken, mintAccessToken } from './access-token.ts'
import type { Admin, Source } from './actor.ts'
import { entryOf, recordAll } from './audit.ts'
import { AuthError } from './auth-error.ts'
import type { Try } from './brakes.ts'
import type { Context, Origin } from './context.ts'
import type { EndReason } from './end-reasons.ts'
import type { SessionEndedEvent } from './events.ts'
import { idleEnd } from './idle-lifetime.ts'
import { located } from './locate.ts'
import { newId } from './new-id.ts'
import { hashSecret, makeRefreshToken } from './refresh-token.ts'
import { endReplaced } from './replaced-session.ts'
import { revoke } from './revocation.ts'
import { endings } from './session-endings.ts'
import { makeRoom } from './session-limit.ts'
import { findAccount } from './store/accounts.ts'
import { inTransaction, type Tx } from './store/open-store.ts'
import { writeOpening } from './store/session-openings.ts'
import {
  endAccountSessions,
  endSession as endSessionRow,
  findSession,
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
  /** 0: its cookies go when the browser is closed. */
  readonly remembered: number
}

/** How a session is opened. */
export interface Opening {
  readonly transport: Transport
  readonly amr: readonly string[]
  readonly from: Origin
  /** "Keep me logged in". @default true */
  readonly remember?: boolean | undefined
  /** The hash that the password was compared with: an account that has another one by now is not opened. */
  readonly ifPasswordHash?: string
  /** The try that the login was: given back with the opening. */
  readonly reserved?: Try | undefined
  /** The thumbprint of a proven key that the session is bound to. @default none */
  readonly jkt?: string | null | undefined
  /** The session of this browser until now, which ends with this one's beginning; see `replaced-session.ts`. */
  readonly replaces?: SessionRecord | undefined
}

/**
 * Opens a session for an account that has just proved itself (M2, step 2): one row, two tokens. With the thumbprint of a
 * proven key, `jkt`, it is bound to that key for good.
 * `alongside` is done in the same transaction, before. Where the account has as many sessions as it may,
 * those that were not used for longest end in its favour.
 *
 * Refuses with `clock_skewed` (503), `account_disabled` (403), or `invalid_credentials` (401) for an account that was deleted, or
 * whose password was changed, while this login was under way.
 */
export async function openSession(
  ctx: Context,
  account: { readonly id: string; readonly epoch: number; readonly roles: string; readonly scopes: string },
  {
    transport,
    amr,
    from: unlocated,
    remember = true,
    ifPasswordHash,
    reserved,
    jkt = null,
    replaces,
  }: Opening,
  alongside: (db: Tx) => Promise<void> = async () => {},
): Promise<Tokens> {
  await ctx.clockCheck.refuseWhenSkewed()
  const from = await located(ctx, unlocated)
  const now = ctx.clock()
  const { sessionLifetime } = ctx.settings
  const id = newId(now)
  const salt = randomBytes(16).toString('base64url')
  const refreshToken = makeRefreshToken(ctx.secrets[0], { sid: id, generation: 1, salt })
  const expiresAt = now + sessionLifetime * 1000
  const remembered = remember ? 1 : 0
  const session: NewSession = {
    id,
    accountId: account.id,
    clientId: null,
    salt,
    generation: 1,
    refreshHash: hashSecret(refreshToken),
    rotatedAt: now,
    transport,
    jkt,
    authTime: now,
    amr: JSON.stringify(amr),
    userAgent: from.userAgent,
    network: from.network,
    place: from.place ?? null,
    remembered,
    createdAt: now,
    expiresAt,
    idleExpiresAt: idleEnd(ctx, now, { expiresAt, remembered }),
  }
  const access = await mintAccessToken(ctx, { ...session, ...account, id, accountId: account.id })
  const opened = { type: 'login.succeeded', at: now, accountId: account.id, sessionId: id } as const
  const audit = entryOf(opened, from)
  const ended = await inTransaction(ctx.store, async (db) => {
    await alongside(db)
    const written = {
      session,
      passwordHash: ifPasswordHash,
      audit,
      alongside: reserved?.givingBack(db) ?? [],
    }
    const { isAdmitted, live } = await writeOpening(db, written)
    if (!isAdmitted) await refuse(db, account.id)
    const replaced = await endReplaced(db, replaces, now)
    const isTooMany = live > ctx.settings.sessionsPerAccount
    const oldest = isTooMany ? await makeRoom(ctx, db, { accountId: account.id, newcomer: id, now }) : []
    return writeEnded(ctx, db, [...replaced, ...oldest], from)
  })
  reserved?.close()
  for (const event of [opened, ...ended]) ctx.emit(event)
  return { sessionId: id, access, refreshToken, idleExpiresAt: session.idleExpiresAt, remembered }
}

/** What was true when the password was compared must be true still when the session begins. */
async function refuse(db: Tx, accountId: string): Promise<never> {
  const account = await findAccount(db, accountId)
  throw new AuthError(account && account.disabledAt !== null ? 'account_disabled' : 'invalid_credentials')
}

/** Writes down that sessions have ended, and revokes them. */
async function writeEnded(
  ctx: Context,
  db: Tx,
  ended: readonly SessionEndedEvent[],
  source: Source,
): Promise<readonly SessionEndedEvent[]> {
  if (ended.length === 0) return []
  await recordAll(db, ended, source)
  await revoke(
    ctx,
    db,
    ended.map(({ sessionId }) => ({ sid: sessionId })),
  )
  return ended
}

/** Ends a session for good and revokes it, in one transaction. False: it had ended before. */
export async function endSession(
  ctx: Context,
  session: { readonly id: string; readonly accountId: string },
  { reason, source, bySession }: Ending,
): Promise<boolean> {
  const ended = await endAll(
    ctx,
    { accountId: session.accountId, reason, source, bySession },
    async (db, now) => ((await endSessionRow(db, { id: session.id, reason, now })) ? [session.id] : []),
  )
  return ended > 0
}

/** Why a session ends, by whom and from where; `bySession` is the other session of the account that asked for it. */
export interface Ending {
  readonly reason: EndReason
  readonly source: Source
  readonly bySession?: string | undefined
}

/** Ends all sessions of an account but one, which asks for it, and revokes them, in one transaction. */
export function endOtherSessions(
  ctx: Context,
  { accountId, except }: { accountId: string; except: string },
  source: Source,
): Promise<number> {
  const reason = 'ended_by_user'
  return endAll(ctx, { accountId, reason, source, bySession: except }, (db, now) =>
    endAccountSessions(db, { accountId, except, reason, now }),
  )
}

/** Ends every session of an account, as an administrator, and revokes them, in one transaction. Returns how many there were. */
export function endSessionsOf(ctx: Context, accountId: string, admin: Admin): Promise<number> {
  const reason = 'ended_by_admin'
  return endAll(ctx, { accountId, reason, source: admin }, (db, now) =>
    endAccountSessions(db, { accountId, reason, now }),
  )
}

/** What `end` ends is written down and revoked with it, and told afterwards. */
async function endAll(
  ctx: Context,
  { accountId, reason, source, bySession }: Ending & { readonly accountId: string },
  end: (db: Tx, now: number) => Promise<readonly string[]>,
): Promise<number> {
  const now = ctx.clock()
  const ended = await inTransaction(ctx.store, async (db) => {
    const sids = await end(db, now)
    return writeEnded(ctx, db, endings(sids, { at: now, accountId, reason, bySession }), source)
  })
  for (const event of ended) ctx.emit(event)
  return ended.length
}

/** A session by its id, ended or not. */
export function sessionById(ctx: Context, id: string): Promise<SessionRecord | undefined> {
  return findSession(ctx.store.db, id)
}
