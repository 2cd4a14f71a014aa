import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from './clock.ts'
import type { ClockCheck } from './clock-check.ts'
import type { Context } from './context.ts'
import type { Settings } from './options.ts'
import type { Store } from './store/open-store.ts'
import { type Sweep, sweeps } from './sweeps.ts'

/** Rows in one statement: a few milliseconds. */
const BATCH = 200
/** Statements of one sweep in one round: what is left after that waits for the next round. */
const BATCHES = 50
/** Milliseconds between two statements, for everybody else. */
const PAUSE = 50

/** Removes what is over, little by little, for as long as the server runs. */
export interface Sweeper {
  /** Begins a round every `sweepInterval`, about. The process may end all the same. */
  start(): void
  /** One round, now. Returns the rows dealt with, by sweep; fails with `StoreError`, and by a wrong clock with `clock_skewed`. */
  round(): Promise<Readonly<Record<string, number>>>
  /** Resolves when nothing is being swept any more. */
  stop(): Promise<void>
}

export function createSweeper({
  store,
  settings,
  clock,
  clockCheck,
  emit,
  rotateKeys,
}: {
  readonly store: Store
  readonly settings: Settings
  readonly clock: Clock
  readonly clockCheck: ClockCheck
  readonly emit: Context['emit']
  /** What a round does beside sweeping. */
  readonly rotateKeys: () => Promise<void>
}): Sweeper {
  const stopping = new AbortController()
  const { signal } = stopping
  let rounds: Promise<void> | undefined

  return {
    start() {
      if (settings.sweepInterval > 0) rounds ??= sweepForEver()
    },
    async round() {
      await clockCheck.refuseWhenSkewed()
      const dealtWith: [string, number][] = []
      for (const sweep of sweeps) dealtWith.push([sweep.name, await clear(sweep)])
      await rotateKeys()
      return Object.fromEntries(dealtWith)
    },
    async stop() {
      stopping.abort()
      await rounds
    },
  }

  async function sweepForEver(): Promise<void> {
    while (await pause(settings.sweepInterval * 1000 * (0.5 + Math.random()))) {
      if (!(await isInTime().catch(tell))) continue
      for (const sweep of sweeps) await clear(sweep).catch(tell)
      await rotateKeys().catch(tell)
    }
  }

  /** By a clock that is fast everybody's sessions would be over, and the audit log with them. */
  async function isInTime(): Promise<boolean> {
    await clockCheck.refuseWhenSkewed()
    return true
  }

  async function clear(sweep: Sweep): Promise<number> {
    const { batch: limit = BATCH } = sweep
    let total = 0
    for (let batch = 0; batch < BATCHES && !signal.aborted; batch++) {
      const rows = await sweep.run(store.db, { now: clock(), limit, settings })
      total += rows
      if (rows < limit || !(await pause(PAUSE))) break
    }
    return total
  }

  function tell(error: unknown): undefined {
    emit({ type: 'error', at: clock(), error })
  }

  /** False: it is time to stop. */
  function pause(milliseconds: number): Promise<boolean> {
    return sleep(milliseconds, true, { ref: false, signal }).catch(() => false)
  }
}
