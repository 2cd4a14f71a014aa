import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from './clock.ts'
import type { Store } from './store/open-store.ts'
import type { Listening } from './store/postgres-listener.ts'
import { lastRevocation, type NumberedRevocation, revocationsAfter } from './store/revocations.ts'

/** Revocations that were committed after the entry `after`, up to `upTo`: by whatever process. */
export interface News {
  readonly after: number
  readonly upTo: number
  readonly rows: readonly NumberedRevocation[]
}

/** The end of the table of revocations, as this process has seen it. */
export interface RevocationTail {
  /** Looks now, and from then on for as long as the server runs. Resolves to the last entry; rejects with `StoreError`. */
  look(): Promise<number>
  /** The last entry that was seen, and the moment (milliseconds) as of which there was no other. */
  readonly head: { readonly seq: number; readonly asOf: number }
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

/** `hear` is called with every piece of news, in order and without a gap; `tell` with what goes wrong meanwhile. */
export function createRevocationTail({
  store,
  clock,
  hear,
  tell,
}: {
  readonly store: Store
  readonly clock: Clock
  readonly hear: (news: News) => void
  readonly tell: (error: unknown) => void
}): RevocationTail {
  const stopping = new AbortController()
  const { signal } = stopping
  let head: RevocationTail['head'] | undefined
  let listening: Listening | undefined
  let looking: Promise<void> | undefined
  let reading: Promise<number> | undefined
  let queued: Promise<number> | undefined
  let wake = () => {}
  /** Something was told of since the last reading began. */
  let isTold = false

  return {
    async look() {
      const seq = await lookOnce()
      if (!signal.aborted) looking ??= lookForEver()
      return seq
    },
    get head() {
      return head ?? { seq: 0, asOf: 0 }
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
  function lookOnce(): Promise<number> {
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

  async function read(): Promise<number> {
    for (;;) {
      const asOf = clock()
      if (!head) {
        head = { seq: await lastRevocation(store.db), asOf }
        return head.seq
      }
      const after = head.seq
      const rows = await revocationsAfter(store.db, { after, now: 0, limit: BATCH })
      if (rows.length > 0) await store.flushed()
      const upTo = rows.at(-1)?.seq ?? after
      head = { seq: upTo, asOf: rows.length < BATCH ? asOf : head.asOf }
      if (rows.length > 0) hear({ after, upTo, rows })
      if (rows.length < BATCH) return upTo
    }
  }
}
