import { setImmediate } from 'node:timers'

/** Milliseconds after which a batch is late and holds up the next no longer: its connection may have died without a word. */
const LATE = 100

/**
 * Has work that arrives together done together: while one batch is under way the next one gathers, and the first begins with what
 * arrives in the same turn of the event loop. Of two items with one key the second waits for the next batch. `run` gets a batch in
 * the order of its keys, begun after everybody in it asked, and resolves to the answer to each; when it fails, it fails for all.
 */
export function gather<Item, Answer>({
  atMost,
  keyOf,
  run,
}: {
  readonly atMost: number
  readonly keyOf: (item: Item) => string
  readonly run: (items: readonly Item[]) => Promise<(item: Item) => Answer>
}): (item: Item) => Promise<Answer> {
  let waiting: Waiting<Item, Answer>[] = []
  let isUnderWay = false

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (isUnderWay) return
      isUnderWay = true
      setImmediate(runBatches)
    })

  async function runBatches(): Promise<void> {
    while (waiting.length > 0) {
      const batch = nextBatch()
      waiting = waiting.filter((one) => !batch.has(one))
      await doneOrLate(settle([...batch]))
    }
    isUnderWay = false
  }

  async function settle(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answerTo = await run(batch.map(({ item }) => item))
      for (const { item, resolve } of batch) resolve(answerTo(item))
    } catch (thrown) {
      for (const { reject } of batch) reject(thrown)
    }
  }

  /** The first of each key, in the order of the keys. */
  function nextBatch(): ReadonlySet<Waiting<Item, Answer>> {
    const batch = new Map<string, Waiting<Item, Answer>>()
    for (const one of waiting) {
      if (batch.size === atMost) break
      const key = keyOf(one.item)
      if (!batch.has(key)) batch.set(key, one)
    }
    return new Set([...batch].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one))
  }
}

function doneOrLate(work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, LATE)
    void work.finally(() => {
      clearTimeout(late)
      resolve()
    })
  })
}

interface Waiting<Item, Answer> {
  readonly item: Item
  readonly resolve: (answer: Answer) => void
  readonly reject: (reason: unknown) => void
}
