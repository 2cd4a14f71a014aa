import { sql } from 'kysely'
import { anyOf, gatheredReads } from './gathered-reads.ts'
import type { Db } from './open-store.ts'
import { type Prepared, prepared } from './prepared.ts'

export { type Rotation, rotateSession } from './gathered-rotations.ts'

/** One login on one device, with what its account says now. */
export interface SessionRecord {
  readonly id: string
  readonly accountId: string
  readonly clientId: string | null
  readonly salt: string
  readonly generation: number
  readonly refreshHash: string
  readonly attemptHash: string | null
  readonly previousAttemptHash: string | null
  readonly rotatedAt: number
  readonly transport: string
  readonly jkt: string | null
  readonly authTime: number
  readonly amr: string
  readonly userAgent: string | null
  readonly network: string | null
  readonly place: string | null
  /** 1 or 0. */
  readonly remembered: number
  readonly createdAt: number
  readonly expiresAt: number
  readonly idleExpiresAt: number
  readonly endedAt: number | null
  readonly endReason: string | null
  readonly epoch: number
  readonly roles: string
  readonly scopes: string
  readonly disabledAt: number | null
}

export type NewSession = Omit<
  SessionRecord,
  | 'attemptHash'
  | 'previousAttemptHash'
  | 'endedAt'
  | 'endReason'
  | 'epoch'
  | 'roles'
  | 'scopes'
  | 'disabledAt'
>

const columns = [
  'sessions.id as id',
  'sessions.account_id as accountId',
  'sessions.client_id as clientId',
  'sessions.salt as salt',
  'sessions.generation as generation',
  'sessions.refresh_hash as refreshHash',
  'sessions.attempt_hash as attemptHash',
  'sessions.previous_attempt_hash as previousAttemptHash',
  'sessions.rotated_at as rotatedAt',
  'sessions.transport as transport',
  'sessions.jkt as jkt',
  'sessions.auth_time as authTime',
  'sessions.amr as amr',
  'sessions.user_agent as userAgent',
  'sessions.network as network',
  'sessions.place as place',
  'sessions.remembered as remembered',
  'sessions.created_at as createdAt',
  'sessions.expires_at as expiresAt',
  'sessions.idle_expires_at as idleExpiresAt',
  'sessions.ended_at as endedAt',
  'sessions.end_reason as endReason',
  'accounts.epoch as epoch',
  'accounts.roles as roles',
  'accounts.scopes as scopes',
  'accounts.disabled_at as disabledAt',
] as const

function select(db: Db) {
  return db.selectFrom('sessions').innerJoin('accounts', 'accounts.id', 'sessions.account_id').select(columns)
}

export async function findSession(db: Db, id: string): Promise<SessionRecord | undefined> {
  const [session] = await sessionsById(db, id)
  return session
}

const sessionsById = gatheredReads<SessionRecord>({
  one: prepared((db, { id }) => select(db).where('sessions.id', '=', id)),
  many: prepared((db, { ids }) => select(db).where('sessions.id', '=', anyOf(ids))),
  idOf: ({ id }) => id,
})

/** Those of an account that can still be renewed, newest first. */
export function liveSessions(db: Db, accountId: string, now: number): Promise<SessionRecord[]> {
  return select(db)
    .where('sessions.account_id', '=', accountId)
    .where('sessions.ended_at', 'is', null)
    .where('sessions.expires_at', '>', now)
    .where('sessions.idle_expires_at', '>', now)
    .orderBy('sessions.created_at', 'desc')
    .orderBy('sessions.id')
    .execute()
}

/** Those of an account that were ended, the last one first. */
export function endedSessions(
  db: Db,
  { accountId, limit }: { accountId: string; limit: number },
): Promise<SessionRecord[]> {
  return select(db)
    .where('sessions.account_id', '=', accountId)
    .where('sessions.end_reason', 'is not', null)
    .orderBy('sessions.ended_at', 'desc')
    .orderBy('sessions.id')
    .limit(limit)
    .execute()
}

/** Those of an account that ran out, unused or too old, and are not swept yet. */
export function expiredSessions(
  db: Db,
  { accountId, now, limit }: { accountId: string; now: number; limit: number },
): Promise<SessionRecord[]> {
  return select(db)
    .where('sessions.account_id', '=', accountId)
    .where('sessions.ended_at', 'is', null)
    .where('sessions.idle_expires_at', '<=', now)
    .orderBy('sessions.idle_expires_at', 'desc')
    .orderBy('sessions.id')
    .limit(limit)
    .execute()
}

/** A session that begins. */
export const sessionInsertion: Prepared<NewSession & Readonly<Record<string, unknown>>, unknown> = prepared(
  (db, session) =>
    db.insertInto('sessions').values({
      id: session.id,
      account_id: session.accountId,
      client_id: session.clientId,
      salt: session.salt,
      generation: session.generation,
      refresh_hash: session.refreshHash,
      attempt_hash: null,
      previous_attempt_hash: null,
      rotated_at: session.rotatedAt,
      transport: session.transport,
      jkt: session.jkt,
      auth_time: session.authTime,
      amr: session.amr,
      user_agent: session.userAgent,
      network: session.network,
      place: session.place,
      remembered: session.remembered,
      created_at: session.createdAt,
      expires_at: session.expiresAt,
      idle_expires_at: session.idleExpiresAt,
      ended_at: null,
      end_reason: null,
      sweep_at: session.idleExpiresAt,
    }),
)

/** How many of an account can still be renewed. */
export const liveSessionCount: Prepared<
  { readonly accountId: string; readonly now: number },
  { readonly live: number }
> = prepared((db, { accountId, now }) =>
  db
    .selectFrom('sessions')
    .select(sql<number>`count(*)`.as('live'))
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .where('idle_expires_at', '>', now),
)

/** Pushes the idle end of a live session out without spending a generation. */
export async function touchSession(
  db: Db,
  { id, idleExpiresAt }: { id: string; idleExpiresAt: number },
): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ idle_expires_at: idleExpiresAt })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .where('idle_expires_at', '<', idleExpiresAt)
    .execute()
}

/** Writes down where a live session is used from now. False: it has ended. */
export async function moveSession(
  db: Db,
  {
    id,
    userAgent,
    network,
    place,
  }: { id: string; userAgent: string | null; network: string | null; place: string | null },
): Promise<boolean> {
  const row = await db
    .updateTable('sessions')
    .set({ user_agent: userAgent, network, place })
    .where('ended_at', 'is', null)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

type BoundRenewal = {
  readonly id: string
  readonly refreshHash: string
  readonly now: number
  readonly idleExpiresAt: number
}

/** Writes the renewal of a bound session down, which spends no generation. False: the session has ended. */
export async function renewBoundSession(db: Db, renewal: BoundRenewal): Promise<boolean> {
  const rows = await renewed(db, renewal)
  return rows.length === 1
}

const renewed = prepared((db, { id, refreshHash, now, idleExpiresAt }: BoundRenewal) =>
  db
    .updateTable('sessions')
    .set({ refresh_hash: refreshHash, rotated_at: now, idle_expires_at: idleExpiresAt })
    .where('id', '=', id)
    .where('jkt', 'is not', null)
    .where('ended_at', 'is', null)
    .returning('id'),
)

/**
 * Records that a generation was fetched without the attempt id that made it, once a generation.
 * Returns how many generations in a row that happened, or undefined when it was recorded before.
 */
export async function recordSharedFetch(
  db: Db,
  { id, generation }: { id: string; generation: number },
): Promise<number | undefined> {
  const row = await db
    .updateTable('sessions')
    .set({
      shared_run: sql<number>`case when shared_generation = ${generation - 1} then shared_run + 1 else 1 end`,
      shared_generation: generation,
    })
    .where('id', '=', id)
    .where('generation', '=', generation)
    .where('shared_generation', '<>', generation)
    .where('ended_at', 'is', null)
    .returning('shared_run as run')
    .executeTakeFirst()
  return row?.run
}

/** Ends one live session; the first reason stays. True when this call ended it. */
export async function endSession(
  db: Db,
  { id, reason, now }: { id: string; reason: string; now: number },
): Promise<boolean> {
  const rows = await db
    .updateTable('sessions')
    .set({ ended_at: now, end_reason: reason })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .returning('id')
    .execute()
  return rows.length === 1
}

/** Row 9: ends the session unless it is still (or again) at the generation that was presented. */
export async function endReusedSession(
  db: Db,
  { id, presented, reason, now }: { id: string; presented: number; reason: string; now: number },
): Promise<boolean> {
  const rows = await db
    .updateTable('sessions')
    .set({ ended_at: now, end_reason: reason })
    .where('id', '=', id)
    .where('generation', '>', presented)
    .where('ended_at', 'is', null)
    .returning('id')
    .execute()
  return rows.length === 1
}

/** A page of the accounts that have sessions which were not ended, in the order of their ids. */
export async function accountsWithSessions(
  db: Db,
  { after, limit }: { after: string; limit: number },
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('sessions')
    .select('account_id as accountId')
    .distinct()
    .where('ended_at', 'is', null)
    .where('account_id', '>', after)
    .orderBy('account_id')
    .limit(limit)
    .execute()
  return rows.map(({ accountId }) => accountId)
}

/** Ends an account's live sessions, but for one, and returns the ids of those that this call ended. */
export async function endAccountSessions(
  db: Db,
  {
    accountId,
    except,
    reason,
    now,
  }: { accountId: string; except?: string | undefined; reason: string; now: number },
): Promise<string[]> {
  const rows = await db
    .updateTable('sessions')
    .set({ ended_at: now, end_reason: reason })
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .$if(except !== undefined, (query) => query.where('id', '<>', except ?? ''))
    .returning('id')
    .execute()
  return rows.map((row) => row.id)
}
