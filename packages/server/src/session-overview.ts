import { seconds } from './clock.ts'
import type { Context } from './context.ts'
import { listSessions, type SessionRecord } from './session.ts'

/** A session as a person sees it. Moments are seconds. */
export interface SessionOverview {
  readonly id: string
  readonly user_agent: string | null
  readonly network: string | null
  readonly created_at: number
  readonly renewed_at: number
  readonly expires_at: number
}

export function sessionOverview(session: SessionRecord): SessionOverview {
  return {
    id: session.id,
    user_agent: session.userAgent,
    network: session.network,
    created_at: seconds(session.createdAt),
    renewed_at: seconds(session.rotatedAt),
    expires_at: seconds(Math.min(session.expiresAt, session.idleExpiresAt)),
  }
}

/** The sessions of an account that can still be used, newest first. */
export async function sessionsOf(ctx: Context, accountId: string): Promise<readonly SessionOverview[]> {
  return (await listSessions(ctx, accountId)).map(sessionOverview)
}
