import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRevokedTable, SWEEP_STEPS } from '../src/revocations/revoked-table.ts'

/** Halves that often meet in a segment, in a slot and in one half, so that probing is what is tested. */
const half = fc.oneof(
  fc.constantFrom(0, 1, 2, 0x3fffff, 0x400000, 0xffffffff),
  fc.integer({ min: 0, max: 0xffffffff }),
)
const mark = fc.record({ high: half, low: half })
const step = fc.oneof(
  fc.record({
    type: fc.constant('add' as const),
    mark,
    epoch: fc.integer({ min: 1, max: 0xffffffff }),
    lives: fc.integer({ min: 0, max: 50 }),
  }),
  fc.record({ type: fc.constant('wait' as const), seconds: fc.integer({ min: 0, max: 30 }) }),
  fc.record({ type: fc.constant('sweep' as const) }),
)

/** What the table must be like: a Map whose entries go when their time is over. */
function createModel() {
  const entries = new Map<string, { epoch: number; expiresAt: number }>()
  const live = (key: string, now: number) => {
    const entry = entries.get(key)
    return entry && entry.expiresAt > now ? entry : undefined
  }
  return {
    keys: () => [...entries.keys()],
    add(key: string, epoch: number, expiresAt: number, now: number) {
      const entry = live(key, now) ?? { epoch: 0, expiresAt: 0 }
      entries.set(key, {
        epoch: Math.max(entry.epoch, epoch),
        expiresAt: Math.max(entry.expiresAt, expiresAt),
      })
    },
    epochOf: (key: string, now: number) => live(key, now)?.epoch ?? 0,
    count: (now: number) => [...entries.values()].filter(({ expiresAt }) => expiresAt > now).length,
  }
}

describe('the table of what is revoked', () => {
  test('is a Map whose entries expire, whatever is put in, in whatever order, swept or not', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.array(mark, { maxLength: 10 }), (steps, others) => {
        const table = createRevokedTable()
        const model = createModel()
        let now = 1000
        for (const taken of steps) {
          if (taken.type === 'wait') now += taken.seconds
          if (taken.type === 'sweep') for (let part = 0; part < SWEEP_STEPS; part++) table.sweep(now)
          if (taken.type === 'add') {
            const { epoch, lives } = taken
            table.add({ ...taken.mark, epoch, expiresAt: now + lives }, now)
            if (lives > 0) model.add(keyOf(taken.mark), epoch, now + lives, now)
          }
          if (taken.type === 'sweep') expect(table.size).toBe(model.count(now))
        }
        for (const key of [...model.keys(), ...others.map(keyOf)])
          expect(table.epochOf(markOf(key), now)).toBe(model.epochOf(key, now))
      }),
      { numRuns: 500 },
    )
  })

  test('holds two hundred thousand in 27 bytes each, finds all of them, and gives the memory back', () => {
    const table = createRevokedTable()
    const marks = Array.from({ length: 200_000 }, (_, index) => scattered(index))
    for (const [index, mark] of marks.entries())
      table.add({ ...mark, epoch: index + 1, expiresAt: 2000 + (index % 2) * 1000 }, 1000)
    expect(table.size).toBe(marks.length)
    expect(table.bytes / table.size).toBeLessThan(27)
    expect(marks.every((mark, index) => table.epochOf(mark, 1999) === index + 1)).toBe(true)
    expect(marks.filter((mark) => table.epochOf(mark, 2000) > 0)).toHaveLength(marks.length / 2)

    for (let part = 0; part < SWEEP_STEPS; part++) table.sweep(2000)
    expect(table.size).toBe(marks.length / 2)
    expect(table.bytes / table.size, 'half went, and with it half of the memory').toBeLessThan(27)
    for (let part = 0; part < SWEEP_STEPS; part++) table.sweep(3000)
    expect([table.size, table.bytes]).toEqual([0, 0])
  })
})

const keyOf = ({ high, low }: { high: number; low: number }) => `${high}:${low}`
const markOf = (key: string) => {
  const [high = 0, low = 0] = key.split(':').map(Number)
  return { high, low }
}

/** Spread over all bits, each number once (a multiplication by an odd number turns none into another's). */
function scattered(index: number) {
  return { high: Math.imul(index + 1, 0x9e3779b1) >>> 0, low: Math.imul(index + 7, 0x85ebca6b) >>> 0 }
}
