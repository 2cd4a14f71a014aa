import type { Context } from './context.ts'
import { type SignedSet, signNews } from './revocation-sets.ts'
import { revocationsAfter } from './store/revocations.ts'

/** Signed tokens that follow an entry, and the entry up to which they tell everything. */
export interface RevocationPage {
  readonly sets: readonly SignedSet[]
  readonly upTo: number
}

/** What was revoked before now, in pages, for those who missed it. */
export interface RevocationPages {
  /** What came after the entry `after`, or somewhat before it already; nothing that came after the entry `head`. Rejects with `StoreError`. */
  next(after: number, head: number): Promise<RevocationPage>
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
  readonly after: number
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
      if (after >= head) return { sets: [], upTo: after }
      return head - after <= FEW ? read(after, head) : inTurn(() => keptFor(after) ?? make(after, head))
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

  function keptFor(after: number): KeptPage | undefined {
    kept = kept.filter(({ madeAt }) => Math.abs(ctx.clock() - madeAt) < KEPT)
    return kept.findLast((page) => page.after <= after && page.upTo - after > FEW)
  }

  async function make(after: number, head: number): Promise<RevocationPage> {
    const before = kept
    const page = { ...(await read(after, head)), after, madeAt: ctx.clock() }
    // Not what was read while all was forgotten.
    if (kept === before) kept = [...kept, page]
    return page
  }

  async function read(after: number, head: number): Promise<RevocationPage> {
    const found = await revocationsAfter(ctx.store.db, { after, now: ctx.clock(), limit: PAGE })
    const rows = found.filter((row) => row.seq <= head)
    const upTo = found.length < PAGE ? head : (rows.at(-1)?.seq ?? head)
    return { sets: await signNews(ctx, { after, upTo, rows }), upTo }
  }
}
