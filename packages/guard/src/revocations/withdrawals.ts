import { setTimeout as sleep } from 'node:timers/promises'
import type { Knowledge } from './knowledge.ts'
import type { PublishedKeys } from './published-keys.ts'
import type { RevocationSettings } from './settings.ts'

/** What the feed tells of a withdrawn key: which one, the key that signed this, and when, in milliseconds. */
export type ToldWithdrawal = { readonly kid: string; readonly by: string; readonly at: number }

export interface Withdrawals {
  /** A withdrawal counts at once, and for good when the issuer's own key set has shown it. */
  hear(told: ToldWithdrawal): void
}

/** A key set says what holds now only if it is newer than the withdrawal by more than clocks may differ, in milliseconds. */
const MARGIN = 30_000
/** Milliseconds until the key set is asked for, at first and at most. */
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 60_000

/**
 * Whoever has stolen a signing key, and carries the feed, can say that honest keys were withdrawn. So the word of a key
 *
 * - about itself counts nothing;
 * - about another counts until the issuer's key set says otherwise: one that was read after the withdrawal and still has the key. From then
 *   on what the signer says of other keys counts only once that set has shown it.
 *
 * A key that is missing from such a set stays withdrawn for as long as the process lives: some cache may go on serving it. Where the
 * issuer cannot be asked, or does not say as of when its set is, the word stands.
 */
export function createWithdrawals(
  settings: RevocationSettings,
  knowledge: Knowledge,
  stopping: AbortSignal,
): Withdrawals {
  const { clock, fetchPublishedKeys, onError } = settings
  const confirmed = new Set<string>()
  const liars = new Set<string>()
  const open = new Map<string, ToldWithdrawal>()
  let isAsking = false

  return {
    hear({ kid, by, at }) {
      if (kid === by || confirmed.has(kid)) return
      if (!liars.has(by)) knowledge.withdraw(kid)
      const name = `${by} ${kid}`
      if (!fetchPublishedKeys || open.has(name)) return
      open.set(name, { kid, by, at: Math.min(at, clock()) })
      if (!isAsking) ask(fetchPublishedKeys).catch(onError)
    },
  }

  async function ask(fetchKeys: NonNullable<typeof fetchPublishedKeys>): Promise<void> {
    isAsking = true
    let pause = FIRST_PAUSE
    while (open.size > 0 && (await paused(pause))) {
      const published = await fetchKeys(stopping).catch(() => undefined)
      if (published) for (const [name, told] of open) if (isSettled(told, published)) open.delete(name)
      pause = Math.min(LONGEST_PAUSE, pause * 3)
    }
    isAsking = false
  }

  function isSettled({ kid, by, at }: ToldWithdrawal, { kids, asOf }: PublishedKeys): boolean {
    if (confirmed.has(kid)) return true
    if (asOf < at + MARGIN) return false
    if (kids.has(kid)) deny(kid, by)
    else {
      confirmed.add(kid)
      knowledge.withdraw(kid)
    }
    return true
  }

  function deny(kid: string, by: string): void {
    liars.add(by)
    onError(new Error(`the issuer denies what was signed with its key ${by}, which may be stolen`))
    const isToldByOthers = [...open.values()].some((told) => told.kid === kid && !liars.has(told.by))
    if (!isToldByOthers) knowledge.reinstate(kid)
  }

  /** By chance half as long or half as long again. False: it is time to stop. */
  function paused(milliseconds: number): Promise<boolean> {
    const jittered = milliseconds * (0.5 + Math.random())
    return sleep(jittered, true, { ref: false, signal: stopping }).catch(() => false)
  }
}
