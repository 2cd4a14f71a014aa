import { setTimeout as sleep } from 'node:timers/promises'
import { BEGINNING, isSamePlace, type Place } from '@mapae/guard/revocations'
import type { Clock } from './clock.ts'
import { placeOf } from './revocation-place.ts'
import type { Store } from './store/open-store.ts'
import type { Listening } from './store/postgres-listener.ts'
import { lastRevocation, type NumberedRevocation, revocationsAfter } from './store/revocations.ts'

/** Revocations that were committed after the entry `after`, up to `upTo`: by whatever process. */
export interface News {
  readonly after: Place
  readonly upTo: Place
  readonly rows: readonly NumberedRevocation[]
}

/** The last entry that was seen, and the moment (milliseconds) as of which there was no other. */
export interface Head {
  readonly place: Place
  readonly asOf: number
}

/** The end of the table of revocations, as this process has seen it. */
export interface RevocationTail {
  /** Looks now, and from then on for as long as the server runs. Resolves to the last entry; rejects with `StoreError`. */
  look(): Promise<Place>
  readonly head: Head
  stop(): Promise<void>
}

/**
 * How often the table is looked at, in milliseconds. PostgreSQL tells of a commit at once, and looking is the safety net, which meets the
 * second alone. SQLite tells nobody: one indexed read of a few µs, which sees this process's commits and those of others alike.
 */
const PAUSE = { postgres: 400, sqlite: 100 } as const
/** While the database is away. */
const PAUSE_AFTER_FAILURE = 1000
const BATCH = 1000

/**
 * `hear` is called with every piece of news, in order and without a gap; `lose` when the last entry is not there any more, so that nobody
 * knows what follows it: the table is of a backup, or of a replica that took over. `tell` is called with what goes wrong meanwhile.
 */
export function createRevocationTail({
  store,
  clock,
  hear,
  lose,
  tell,
}: {
  readonly store: Store
  readonly clock: Clock
  readonly hear: (news: News) => void
  readonly lose: () => void
  readonly tell: (error: unknown) => void
}): RevocationTail {
  const stopping = new AbortController()
  const { signal } = stopping
  let head: Head | undefined
  let listening: Listening | undefined
  let looking: Promise<void> | undefined
  let reading: Promise<Place> | undefined
  let queued: Promise<Place> | undefined
  let wake = () => {}
  /** Something was told of since the last reading began. */
  let isTold = false

  return {
    async look() {
      const place = await lookOnce()
      if (!signal.aborted) looking ??= lookForEver()
      return place
    },
    get head() {
      return head ?? { place: BEGINNING, asOf: 0 }
    },
    async stop() {
      stopping.abort()
      wake()
      await listening?.close()
      await looking
      await reading?.catch(() => {})
    },
  }

  async function lookForEver(): Promise<void> {
    listening = store.listen(() => {
      isTold = true
      wake()
    })
    let pause: number = PAUSE[store.kind]
    while (await woken(pause)) {
      isTold = false
      try {
        await lookOnce()
        pause = PAUSE[store.kind]
      } catch (error) {
        if (pause !== PAUSE_AFTER_FAILURE) tell(error)
        pause = PAUSE_AFTER_FAILURE
      }
    }
  }

  /** Resolves when something was heard or the time is over. False: it is time to stop. */
  async function woken(milliseconds: number): Promise<boolean> {
    if (isTold) return !signal.aborted
    const heard = new Promise<void>((resolve) => {
      wake = resolve
    })
    const over = new AbortController()
    await Promise.race([
      heard,
      sleep(milliseconds, undefined, { ref: false, signal: over.signal }).catch(() => {}),
    ])
    over.abort()
    return !signal.aborted
  }

  /** One reading that begins after it was asked for; those that ask during one share the next. */
  function lookOnce(): Promise<Place> {
    if (!reading) {
      reading = read().finally(() => {
        reading = undefined
      })
      return reading
    }
    queued ??= reading
      .catch(() => {})
      .then(() => {
        queued = undefined
        return lookOnce()
      })
    return queued
  }

  async function read(): Promise<Place> {
    for (;;) {
      const asOf = clock()
      if (!head) {
        const place = placeOf(await lastRevocation(store.db))
        await store.flushed()
        head = { place, asOf }
        return head.place
      }
      const after = head.place
      const found = await revocationsAfter(store.db, { after: after.seq - 1, now: 0, limit: BATCH })
      const [first, ...others] = found
      const isNew = after.seq === 0
      if (!isNew && !isSamePlace(placeOf(first), after)) {
        head = undefined
        lose()
        continue
      }
      const rows = isNew ? found : others
      if (rows.length > 0) await store.flushed()
      const upTo = rows.length > 0 ? placeOf(rows.at(-1)) : after
      head = { place: upTo, asOf: found.length < BATCH ? asOf : head.asOf }
      if (rows.length > 0) hear({ after, upTo, rows })
      if (found.length < BATCH) return upTo
    }
  }
}
