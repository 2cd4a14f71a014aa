import type { Context } from './context.ts'
import type { SessionRecord } from './store/sessions.ts'

/** When a session that was used at `now` ends for want of use. Milliseconds. */
export function idleEnd(
  ctx: Context,
  now: number,
  session: Pick<SessionRecord, 'expiresAt' | 'remembered'>,
): number {
  return Math.min(session.expiresAt, now + idleLifetime(ctx, session) * 1000)
}

/** How long the session lives without being used, in seconds. */
export function idleLifetime(ctx: Context, { remembered }: Pick<SessionRecord, 'remembered'>): number {
  const { sessionIdleLifetime, unrememberedIdleLifetime } = ctx.settings
  return remembered === 1 ? sessionIdleLifetime : unrememberedIdleLifetime
}

/** When a session was used last, in milliseconds. An inline renewal moves the idle end and not `rotatedAt`. */
export function lastUse(ctx: Context, session: SessionRecord): number {
  return Math.max(session.rotatedAt, session.idleExpiresAt - idleLifetime(ctx, session) * 1000)
}
