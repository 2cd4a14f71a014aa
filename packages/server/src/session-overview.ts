import { seconds } from './clock.ts'
import type { Context } from './context.ts'
import { deviceOf } from './device.ts'
import { lastUse } from './idle-lifetime.ts'
import { endOf } from './session-endings.ts'
import { endedSessions, expiredSessions, liveSessions, type SessionRecord } from './store/sessions.ts'

/** A session as those see it who look after the server. Moments are seconds. */
export interface SessionOverview {
  readonly id: string
  readonly account_id: string
  /** What the device says of itself, in words: `Chrome on Windows`. */
  readonly device: string | null
  readonly user_agent: string | null
  readonly network: string | null
  /** What the `locate` hook said. */
  readonly place: string | null
  readonly transport: string
  /** Whether it is bound to a key of the device (DPoP). */
  readonly bound: boolean
  readonly remembered: boolean
  readonly generation: number
  readonly created_at: number
  readonly renewed_at: number
  readonly last_used_at: number
  readonly expires_at: number
  readonly ended_at: number | null
  readonly end_reason: string | null
}

/** A session as its person sees it: moments are seconds, rounded down to the hour, so that nobody's day is told by them. */
export type PersonalSession = Pick<
  SessionOverview,
  'id' | 'device' | 'user_agent' | 'network' | 'place' | 'created_at' | 'last_used_at' | 'expires_at'
> & {
  /** Whether it is the one that asks. */
  readonly current: boolean
  /** Only of one that has ended. */
  readonly ended_at?: number
  readonly end_reason?: string
}

/** How many of the sessions that ended are told of. */
const LATELY = 20

/**
 * The sessions of an account that can still be used, newest first; with `ended` those that cannot any more, the last one
 * first, as far back as they are kept, and 20 at most.
 */
export async function sessionsOf(
  ctx: Context,
  accountId: string,
  { ended = false }: { ended?: boolean } = {},
): Promise<readonly SessionOverview[]> {
  const now = ctx.clock()
  const sessions = ended
    ? await lately(ctx, { accountId, now })
    : await liveSessions(ctx.store.db, accountId, now)
  return sessions.map((session) => sessionOverview(ctx, session))
}

async function lately(
  ctx: Context,
  { accountId, now }: { accountId: string; now: number },
): Promise<SessionRecord[]> {
  const { db } = ctx.store
  const ended = await endedSessions(db, { accountId, limit: LATELY })
  const expired = await expiredSessions(db, { accountId, now, limit: LATELY })
  const end = (session: SessionRecord) => endOf(session, now)?.at ?? 0
  return [...ended, ...expired].toSorted((a, b) => end(b) - end(a)).slice(0, LATELY)
}

export function sessionOverview(ctx: Context, session: SessionRecord): SessionOverview {
  const end = endOf(session, ctx.clock())
  return {
    id: session.id,
    account_id: session.accountId,
    device: deviceOf(session.userAgent),
    user_agent: session.userAgent,
    network: session.network,
    place: session.place,
    transport: session.transport,
    bound: session.jkt !== null,
    remembered: session.remembered === 1,
    generation: session.generation,
    created_at: seconds(session.createdAt),
    renewed_at: seconds(session.rotatedAt),
    last_used_at: seconds(lastUse(ctx, session)),
    expires_at: seconds(Math.min(session.expiresAt, session.idleExpiresAt)),
    ended_at: end ? seconds(end.at) : null,
    end_reason: end?.reason ?? null,
  }
}

export function personalSession(session: SessionOverview, { current }: { current: string }): PersonalSession {
  const { id, device, user_agent, network, place, ended_at, end_reason } = session
  return {
    id,
    current: id === current,
    device,
    user_agent,
    network,
    place,
    created_at: wholeHour(session.created_at),
    last_used_at: wholeHour(session.last_used_at),
    expires_at: wholeHour(session.expires_at),
    ...(ended_at !== null && end_reason !== null && { ended_at: wholeHour(ended_at), end_reason }),
  }
}

/** Seconds, rounded down to the hour. */
export function wholeHour(at: number): number {
  return at - (at % 3600)
}
