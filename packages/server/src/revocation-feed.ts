import { BEGINNING, isSamePlace, type Place, printPlace } from '@mapae/guard/revocations'
import { AuthError } from './auth-error.ts'
import type { Context } from './context.ts'
import { createRevocationPages } from './revocation-pages.ts'
import { placeOf } from './revocation-place.ts'
import { type SignedSet, signHead, signNews } from './revocation-sets.ts'
import { createRevocationTail, type News } from './revocation-tail.ts'
import { revocationAt } from './store/revocations.ts'

/** What this server tells of revocations, to guards and to relays between. */
export interface RevocationFeed {
  /**
   * A stream of server-sent events: first what was revoked after the place `after` (all that still counts, where there is no such place), then what is, as it is.
   * As many as `revocationFeed.connections` are open at once. The networks that take most of them make room for others, so that nobody takes
   * them all: refuses with `busy` (503) when that of the reader has its share. Rejects with `StoreError`.
   */
  open(reader: {
    readonly after: Place
    readonly network: string | null
  }): Promise<ReadableStream<Uint8Array>>
  /** The next tokens after the place `after`, for those who ask again and again. */
  page(after: Place): Promise<readonly string[]>
  /** Ends every stream, and opens no other: guards go on with another replica. */
  end(): void
  /** Waits for what is under way. */
  stop(): Promise<void>
}

/** How often it is signed that nothing else was revoked, in milliseconds: guards take that for the age of what they know. */
const HEAD_EVERY = 5000
/** Bytes that may wait for a slow reader, and how many beats long some may: who is slower is cut off, and resumes where it was. */
const PATIENCE = 1_000_000
const BEATS = 6

/** Entries. */
const LITTLE = 1000

interface Reader {
  readonly controller: ReadableStreamDefaultController<Uint8Array>
  /** Where it is; null where that is not known. */
  readonly network: string | null
  /** The last entry that it was told of. */
  after: Place
  /** It has all that was there, and hears of everything from now on. */
  isLive: boolean
  slowBeats: number
}

export function createRevocationFeed(ctx: Context): RevocationFeed {
  const tell = (error: unknown) => ctx.emit({ type: 'error', at: ctx.clock(), error })
  const tail = createRevocationTail({
    store: ctx.store,
    clock: ctx.clock,
    hear: spread,
    lose: beginAgain,
    tell,
  })
  const pages = createRevocationPages(ctx)
  const readers = new Set<Reader>()
  let isEnded = false
  let beating: NodeJS.Timeout | undefined
  /** What is sent goes out in the order in which it was heard, so that a head comes after all that it covers. */
  let sending: Promise<void> = Promise.resolve()

  return { open, page, end, stop }

  async function open({ after, network }: Parameters<RevocationFeed['open']>[0]) {
    whoMakesRoom(network)
    const from = await whereToBegin(after)
    const leaving = whoMakesRoom(network)
    if (leaving) cutOff(leaving)
    beating ??= setInterval(beat, HEAD_EVERY).unref()
    return streamFrom(from, network)
  }

  /** Nobody, while there is room; then the last one of the network that has the most readers. Refuses with `busy` (503). */
  function whoMakesRoom(network: string | null): Reader | undefined {
    if (isEnded) throw new AuthError('busy')
    if (readers.size < ctx.settings.revocationFeed.connections) return undefined
    const crowds = byNetwork(readers)
    const [largest = []] = [...crowds.values()].sort((one, other) => other.length - one.length)
    const own = crowds.get(network)?.length ?? 0
    if (own + 1 >= largest.length) throw new AuthError('busy')
    return largest.at(-1)
  }

  async function page(after: Place): Promise<readonly string[]> {
    const from = await whereToBegin(after)
    const first = await pages.next(from, tail.head.place)
    const { head } = tail
    // One that was made for others may end a little before the head, which must be heard of now and then.
    const isNear = head.place.seq - first.upTo.seq <= LITTLE
    const rest = isNear ? await pages.next(first.upTo, head.place) : { sets: [], upTo: first.upTo }
    const last = isSamePlace(rest.upTo, head.place) ? [await signHead(ctx, head)] : []
    return [...first.sets, ...rest.sets, ...last].map(({ set }) => set)
  }

  function end(): void {
    isEnded = true
    clearInterval(beating)
    for (const reader of readers) cutOff(reader)
  }

  async function stop(): Promise<void> {
    end()
    await tail.stop()
    await sending
  }

  /** Where there is no such place, in a database that was restored since or after a long time, everything is told again. */
  async function whereToBegin(after: Place): Promise<Place> {
    const isFirst = tail.head.asOf === 0
    const last = await tail.look()
    // What was withdrawn before this process listened is known to the table alone.
    if (isFirst) await ctx.signingKeys.list()
    if (after.seq === 0 || isSamePlace(after, last)) return after
    const there = placeOf(await revocationAt(ctx.store.db, after.seq))
    return after.tag === '' || isSamePlace(after, there) ? there : BEGINNING
  }

  /** Nobody knows what came after what was told: guards come back with the place where they are, which is looked up. */
  function beginAgain(): void {
    pages.forget()
    for (const reader of readers) cutOff(reader)
  }

  function streamFrom(from: Place, network: string | null): ReadableStream<Uint8Array> {
    let reader: Reader | undefined
    return new ReadableStream<Uint8Array>(
      {
        start(controller) {
          reader = { controller, network, after: from, isLive: false, slowBeats: 0 }
          readers.add(reader)
          controller.enqueue(encoder.encode('retry: 1000\n\n'))
        },
        pull: async () => {
          if (reader && !reader.isLive) await bringAlongOrCutOff(reader)
        },
        cancel() {
          if (reader) readers.delete(reader)
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 16_384 }),
    )
  }

  /** Where the database fails half way the stream ends as any other, and nobody goes on counting it. */
  async function bringAlongOrCutOff(reader: Reader): Promise<void> {
    try {
      await bringAlong(reader)
    } catch (error) {
      tell(error)
      cutOff(reader)
    }
  }

  /** Gives a reader the next page of what it missed, or, when that is all, what is heard from now on. */
  async function bringAlong(reader: Reader): Promise<void> {
    const { sets, upTo } = await pages.next(reader.after, tail.head.place)
    for (const signed of sets) hand(reader, signed)
    reader.after = upTo
    if (upTo.seq < tail.head.place.seq) return
    reader.isLive = true
    await sendHead([reader])
  }

  function spread(news: News): void {
    sending = sending
      .then(async () => {
        const sets = await signNews(ctx, news)
        // Guards take nothing that a withdrawn key has signed, and by now none signs any more.
        if (news.rows.some(({ kid }) => kid !== null)) pages.forget()
        for (const signed of sets)
          for (const reader of readers)
            if (reader.isLive && reader.after.seq < signed.place.seq) hand(reader, signed)
      })
      .catch(tell)
  }

  /** Says nothing while the database does not answer: after a while a guard then asks another replica. */
  async function beat(): Promise<void> {
    for (const reader of readers) cutOffIfSlow(reader)
    if (readers.size === 0) return
    try {
      await tail.look()
      await sendHead(readers)
    } catch (error) {
      tell(error)
    }
  }

  /** All that this head covers was heard, and is being sent, before. */
  function sendHead(to: Iterable<Reader>): Promise<void> {
    const { head } = tail
    sending = sending
      .then(async () => {
        const signed = await signHead(ctx, head)
        for (const reader of to)
          if (reader.isLive && reader.after.seq <= signed.place.seq) hand(reader, signed)
      })
      .catch(tell)
    return sending
  }

  function hand(reader: Reader, { place, set }: SignedSet): void {
    if (!readers.has(reader)) return
    if ((reader.controller.desiredSize ?? 0) < -PATIENCE) {
      cutOff(reader)
      return
    }
    reader.controller.enqueue(encoder.encode(`id: ${printPlace(place)}\ndata: ${set}\n\n`))
    reader.after = place
  }

  function cutOffIfSlow(reader: Reader): void {
    reader.slowBeats = (reader.controller.desiredSize ?? 0) > 0 ? 0 : reader.slowBeats + 1
    if (reader.slowBeats > BEATS) cutOff(reader)
  }

  function cutOff(reader: Reader): void {
    if (readers.delete(reader)) reader.controller.close()
  }
}

function byNetwork(readers: Iterable<Reader>): ReadonlyMap<string | null, readonly Reader[]> {
  const groups = new Map<string | null, Reader[]>()
  for (const reader of readers) {
    const group = groups.get(reader.network)
    if (group) group.push(reader)
    else groups.set(reader.network, [reader])
  }
  return groups
}

const encoder = new TextEncoder()
