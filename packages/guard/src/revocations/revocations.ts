import type { AccessClaims } from '../access-claims.ts'
import { type Following, followFeed } from './follow.ts'
import { createKnowledge } from './knowledge.ts'
import type { RevocationStatus, WhenStale } from './options.ts'
import type { RevocationSettings } from './settings.ts'

/** What a guard asks before it admits a good token. */
export interface Revocations {
  readonly isFollowed: boolean
  /**
   * Judges a token that is good in itself: signed with the key `kid`, by the route's own rule for a stale memory or the guard's. The
   * first one waits, up to a second, until what was revoked before is known.
   */
  judge(
    claims: AccessClaims,
    about: { readonly kid: string | undefined; readonly whenStale: WhenStale | undefined },
  ): Verdict | Promise<Verdict>
  /** Whether it is known by now that these claims, or the key `kid` that signed them, were revoked. */
  revoked(claims: AccessClaims, kid: string | undefined): boolean
  /** Calls the listener whenever something is revoked. Gives what stops it. */
  subscribe(listener: () => void): () => void
  status(): RevocationStatus
  close(): void
}

export type Verdict = 'good' | 'revoked' | 'stale'

/** How long the first request waits for what was revoked before, in milliseconds. */
const PATIENCE = 1000
/** Between two steps of the sweep; all of it takes 32. */
const SWEEP_PAUSE = 250

/** Follows the feed from the first question on, so that a process which only loads the API's code opens no connection. */
export function createRevocations(settings: RevocationSettings | undefined): Revocations {
  if (!settings) return notFollowed
  const { clock, maxStaleness } = settings
  const listeners = new Set<() => void>()
  const knowledge = createKnowledge(clock, () => {
    for (const listener of listeners) listener()
  })
  let following: Following | undefined
  let sweeping: NodeJS.Timeout | undefined
  let settled: Promise<void> | undefined
  let isSettled = false
  let isClosed = false

  return {
    isFollowed: true,
    judge(claims, about) {
      start()
      // Only Mapae writes epochs into its tokens, and it has a feed.
      if (claims.epoch !== undefined) following?.expect()
      if (isSettled) return judge(claims, about)
      return (settled ?? Promise.resolve()).then(() => judge(claims, about))
    },
    revoked(claims, kid) {
      start()
      return knowledge.revokes(claims, kid)
    },
    subscribe(listener) {
      start()
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    status() {
      start()
      const { entries, bytes } = knowledge
      return { state: stateNow(), staleFor: staleFor(), entries, bytes }
    },
    close() {
      isClosed = true
      following?.stop()
      clearInterval(sweeping)
    },
  }

  function judge(
    claims: AccessClaims,
    { kid, whenStale = settings?.whenStale }: Parameters<Revocations['judge']>[1],
  ): Verdict {
    if (knowledge.revokes(claims, kid)) return 'revoked'
    return whenStale === 'refuse' && stateNow() !== 'live' ? 'stale' : 'good'
  }

  function start(): void {
    if (following || isClosed || !settings) return
    following = followFeed(settings, knowledge)
    sweeping = setInterval(() => knowledge.sweep(), SWEEP_PAUSE).unref()
    settled = Promise.race([following.settled, patience()]).then(() => {
      isSettled = true
    })
  }

  function stateNow(): RevocationStatus['state'] {
    if (isClosed) return 'closed'
    if (clock() - knowledge.asOf <= maxStaleness) return 'live'
    if (following?.state === 'absent') return 'absent'
    return isSettled ? 'stale' : 'starting'
  }

  function staleFor(): number | undefined {
    return Number.isFinite(knowledge.asOf) ? Math.max(0, clock() - knowledge.asOf) / 1000 : undefined
  }
}

const notFollowed: Revocations = {
  isFollowed: false,
  judge: () => 'good',
  revoked: () => false,
  subscribe: () => () => {},
  status: () => ({ state: 'off', staleFor: undefined, entries: 0, bytes: 0 }),
  close() {},
}

function patience(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PATIENCE).unref())
}
