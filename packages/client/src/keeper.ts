import type { Change } from './client.ts'
import { type Clock, stopwatch } from './clock.ts'
import { isSame, type Kept, parseKept } from './kept.ts'
import { MapaeError } from './mapae-error.ts'
import type { Store } from './store.ts'
import { textOf } from './wire.ts'

/** Hears what became of the session, and what was kept of it before. */
export type OnChange = (change: Change, before: Kept | undefined) => void

/** Holds the record of a session in memory, in step with its store and with the other tabs that use it. */
export interface Keeper {
  readonly name: string | undefined
  /** What is held, without looking. */
  peek(): Kept | undefined
  /** What is held; looks into the store the first time. */
  current(): Promise<Kept | undefined>
  /** Looks into the store again. `reason`: why a session has gone, when it has. */
  again(reason?: string): Promise<Kept | undefined>
  /** Replaces the record in one step, and tells the other tabs. `reason`: why a session goes, when it does. */
  change(change: (kept: Kept | undefined) => Kept | undefined, reason?: string): Promise<Kept | undefined>
  /** Milliseconds since the answer that a record was made of. */
  age(kept: Kept): number
  close(): void
}

/** Throws `MapaeError` `store_failed` for whatever the store throws. */
export function createKeeper(store: Store, clock: Clock, onChange: OnChange): Keeper {
  let held:
    | { readonly text: string | undefined; readonly kept: Kept | undefined; readonly age: () => number }
    | undefined
  const { name } = store

  const ageOf = (kept: Kept | undefined): (() => number) =>
    held && isSame(held.kept, kept) ? held.age : sinceAnswer(clock, kept)
  const hold = (text: string | undefined, reason: string): Kept | undefined => {
    const kept = parseKept(text)
    const before = held
    held = { text, kept, age: ageOf(kept) }
    const change = before && text !== before.text && changeOf(before.kept, kept, reason)
    if (change) onChange(change, before.kept)
    return kept
  }
  const again = async (reason = 'logout'): Promise<Kept | undefined> =>
    hold(await safely(() => store.read()), reason)

  const channel = openChannel(name, (reason) => {
    again(textOf(reason)).catch(() => {}) // whoever needs the store next hears of it
  })
  return {
    name,
    peek: () => held?.kept,
    current: async () => (held ? held.kept : again()),
    again,
    change: async (change, reason = 'logout') => {
      let before: string | undefined
      const text = await safely(() =>
        store.update((text) => {
          before = text
          const kept = parseKept(text)
          const next = change(kept)
          return next === kept ? text : next && JSON.stringify(next)
        }),
      )
      if (text !== before) channel?.postMessage(reason)
      return hold(text, reason)
    },
    age: (kept) => ageOf(kept)(),
    close: () => channel?.close(),
  }
}

/** By the wall clock that was written down then; a clock that was set back since says now. */
function sinceAnswer(clock: Clock, kept: Kept | undefined): () => number {
  return stopwatch(clock, kept && Math.max(0, clock.wall() - kept.at))
}

function changeOf(before: Kept | undefined, kept: Kept | undefined, reason: string): Change | undefined {
  if (!kept?.sid) return before?.sid && !kept ? { type: 'logged_out', reason } : undefined
  if (before?.sid !== kept.sid) return { type: 'logged_in' }
  if (kept.n !== before.n) return { type: 'renewed' }
  // Otherwise an attempt id was written down, or the user.
  return kept.attempt === before.attempt ? { type: 'changed' } : undefined
}

/** Tells tabs that there is something new, never what: they look into the store. */
export function openChannel(
  name: string | undefined,
  onMessage: (message: unknown) => void,
): BroadcastChannel | undefined {
  if (name === undefined || typeof BroadcastChannel === 'undefined') return undefined
  // Only Node.js has this: an open channel must not keep a process from ending.
  const channel: BroadcastChannel & { unref?(): void } = new BroadcastChannel(`mapae ${name}`)
  channel.unref?.()
  channel.onmessage = ({ data }: MessageEvent<unknown>) => onMessage(data)
  return channel
}

async function safely<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new MapaeError('store_failed', undefined, { cause })
  }
}
