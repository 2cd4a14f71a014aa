import { equal } from './refresh-token.ts'

/** What the row of a session says, as far as the rules look at it. Times are milliseconds. */
export interface JudgedSession {
  readonly generation: number
  readonly refreshHash: string
  readonly attemptHash: string | null
  readonly previousAttemptHash: string | null
  readonly rotatedAt: number
  readonly expiresAt: number
  readonly idleExpiresAt: number
  readonly endedAt: number | null
  readonly endReason: string | null
  readonly disabledAt: number | null
}

/** An authentic refresh token and the attempt id that came with it, hashed. */
export interface Presentation {
  readonly generation: number
  readonly refreshHash: string
  readonly attemptHash: string | undefined
  readonly arrivedAt: number
}

export type Verdict =
  | { readonly type: 'ended'; readonly reason: string }
  | { readonly type: 'foreign' }
  | { readonly type: 'repeat'; readonly because: 'same-attempt' | 'late-tab' | 'within-interval' }
  | { readonly type: 'rotate' }
  | { readonly type: 'adopt' }
  | { readonly type: 'superseded' }
  | { readonly type: 'reused' }

/**
 * The session table, rows 3 to 9, in its order. Rows 1 and 2 (both tokens authentic and of one session)
 * hold already. `reuseInterval` is in seconds; it counts from the rotation to the request's arrival, and
 * a negative age (a clock stepped back) is zero.
 */
export function judge(session: JudgedSession, presented: Presentation, reuseInterval: number): Verdict {
  const reason = whyEnded(session, presented.arrivedAt)
  if (reason) return { type: 'ended', reason }

  const behind = session.generation - presented.generation
  const fresh = Math.max(0, presented.arrivedAt - session.rotatedAt) < reuseInterval * 1000

  if (behind === 0) {
    if (!equal(presented.refreshHash, session.refreshHash)) return { type: 'foreign' }
    const lateTab = fresh && same(presented.attemptHash, session.attemptHash)
    return lateTab ? { type: 'repeat', because: 'late-tab' } : { type: 'rotate' }
  }
  if (behind < 0) return { type: 'adopt' }
  if (behind === 1) {
    if (same(presented.attemptHash, session.attemptHash)) return { type: 'repeat', because: 'same-attempt' }
    if (fresh) return { type: 'repeat', because: 'within-interval' }
  }
  if (behind === 2 && same(presented.attemptHash, session.previousAttemptHash)) return { type: 'superseded' }
  return { type: 'reused' }
}

/** Why a session can no longer be used at `now`, or undefined. */
export function whyEnded(
  session: Pick<JudgedSession, 'endedAt' | 'endReason' | 'disabledAt' | 'expiresAt' | 'idleExpiresAt'>,
  now: number,
): string | undefined {
  if (session.endedAt !== null) return session.endReason ?? 'ended'
  if (session.disabledAt !== null) return 'account_disabled'
  if (session.expiresAt <= now) return 'expired'
  return session.idleExpiresAt <= now ? 'idle_expired' : undefined
}

function same(presented: string | undefined, kept: string | null): boolean {
  return presented !== undefined && kept !== null && equal(presented, kept)
}
