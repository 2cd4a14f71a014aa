import { isSamePlace, type Place } from '@mapae/guard/revocations'
import type { Context } from './context.ts'
import { placeOf } from './revocation-place.ts'
import { type SignedSet, signNews, signOverlap } from './revocation-sets.ts'
import { revocationsAfter } from './store/revocations.ts'

/** Signed tokens that follow a place, and the place up to which they tell everything. */
export interface RevocationPage {
  readonly sets: readonly SignedSet[]
  readonly upTo: Place
}

/** What was revoked before now, in pages, for those who missed it. */
export interface RevocationPages {
  /** What came after the entry `after`, and maybe some of what came before it; nothing that came after the entry `head`. Rejects with `StoreError`. */
  next(after: Place, head: Place): Promise<RevocationPage>
  /** Has everything signed anew. */
  forget(): void
}

/** Entries in one signed list: 285 KB, and some 5 ms of a guard's time. */
const PAGE = 10_000
/** So few are read and signed for each who asks; more take up to 50 ms. */
const FEW = 100
/** How long the same page is given again, in milliseconds. */
const KEPT = 60_000

interface KeptPage extends RevocationPage {
  readonly after: Place
  readonly madeAt: number
}

/**
 * Many guards that start at once get the same page; and who asks again and again, from whatever entry, has nothing read that was read
 * within the minute. Pages of many entries are made one at a time.
 */
export function createRevocationPages(ctx: Context): RevocationPages {
  let kept: readonly KeptPage[] = []
  let making: Promise<unknown> = Promise.resolve()

  return {
    async next(after, head) {
      if (after.seq >= head.seq) return { sets: [], upTo: after }
      if (head.seq - after.seq <= FEW) return read(after, head)
      const page = await inTurn(() => keptFor(after) ?? make(after, head))
      if (page.after.seq === 0 || isSamePlace(page.after, after)) return page
      const overlap = await signOverlap(ctx, { from: after, to: page.after })
      return { sets: [overlap, ...page.sets], upTo: page.upTo }
    },
    forget() {
      kept = []
    },
  }

  function inTurn<Made>(make: () => Made | Promise<Made>): Promise<Made> {
    const made = making.then(make)
    making = made.catch(() => {})
    return made
  }

  function keptFor({ seq }: Place): KeptPage | undefined {
    kept = kept.filter(({ madeAt }) => Math.abs(ctx.clock() - madeAt) < KEPT)
    return kept.findLast(({ after, upTo }) => after.seq <= seq && upTo.seq - seq > FEW)
  }

  async function make(after: Place, head: Place): Promise<KeptPage> {
    const before = kept
    const page = { ...(await read(after, head)), after, madeAt: ctx.clock() }
    // Not what was read while all was forgotten.
    if (kept === before) kept = [...kept, page]
    return page
  }

  async function read(after: Place, head: Place): Promise<RevocationPage> {
    const found = await revocationsAfter(ctx.store.db, { after: after.seq, now: ctx.clock(), limit: PAGE })
    const rows = found.filter((row) => row.seq <= head.seq)
    const last = rows.at(-1)
    const upTo = found.length < PAGE || !last ? head : placeOf(last)
    return { sets: await signNews(ctx, { after, upTo, rows }), upTo }
  }
}
