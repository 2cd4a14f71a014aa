import type { Mark } from './mark.ts'

/**
 * What is revoked: marks, each with the epoch below which tokens are refused and the moment after which none of them can be in date.
 * It costs at most 27 bytes an entry (from some five thousand on), and grows and shrinks in small steps.
 */
export interface RevokedTable {
  /** Puts an entry in; of two for one mark the higher epoch and the later end count. Moments are whole seconds. */
  add(entry: Mark & { readonly epoch: number; readonly expiresAt: number }, now: number): void
  /** The epoch below which tokens of this mark are refused; 0 when there is no entry, or its time is over. */
  epochOf(mark: Mark, now: number): number
  /** Frees what is over in the next part of the table; the whole table takes {@link SWEEP_STEPS} of these. */
  sweep(now: number): void
  /** How many entries there are, those included that are over and not swept yet. */
  readonly size: number
  /** What they take. */
  readonly bytes: number
}

/**
 * The table is cut in segments by the first bits of the mark; each is an open-addressing table of its own, small enough to be made anew
 * within some 50 µs when it gets too full or too old, which is why growth never holds up a request and no slot is ever marked as deleted.
 */
const SEGMENT_BITS = 10
const SEGMENTS = 2 ** SEGMENT_BITS
const SEGMENTS_A_STEP = 32
export const SWEEP_STEPS: number = SEGMENTS / SEGMENTS_A_STEP

/** Slots in use, of all: a segment that has more is made anew with so many that it has the lesser share. */
const FULL = 0.75
const ROOMY = 0.6
const LEAST_SLOTS = 8

/** A slot is four unsigned 32-bit numbers; one whose end is 0 is empty. */
const [HIGH, LOW, EPOCH, END, SLOT] = [0, 1, 2, 3, 4] as const
const TWO_TO_32 = 2 ** 32

interface Segment {
  readonly slots: Uint32Array
  readonly capacity: number
  used: number
  /** When the first of its entries is over. */
  firstEnd: number
}

export function createRevokedTable(): RevokedTable {
  const segments: (Segment | undefined)[] = new Array(SEGMENTS).fill(undefined)
  let size = 0
  let slots = 0
  let swept = 0

  return {
    add({ high, low, epoch, expiresAt }, now) {
      if (expiresAt <= now) return
      const at = high >>> (32 - SEGMENT_BITS)
      let segment = segments[at] ?? remake(at, now, 1)
      let slot = locate(segment, high, low)
      if (segment.slots[slot + END] !== 0) return raise(segment, slot, { epoch, expiresAt, now })
      if (segment.used + 1 > segment.capacity * FULL) {
        segment = remake(at, now, 1)
        slot = locate(segment, high, low)
      }
      put(segment, slot, { high, low, epoch, expiresAt })
      size++
    },
    epochOf({ high, low }, now) {
      const segment = segments[high >>> (32 - SEGMENT_BITS)]
      if (!segment) return 0
      const slot = locate(segment, high, low)
      return (segment.slots[slot + END] ?? 0) > now ? (segment.slots[slot + EPOCH] ?? 0) : 0
    },
    sweep(now) {
      for (let step = 0; step < SEGMENTS_A_STEP; step++) {
        swept = (swept + 1) % SEGMENTS
        const segment = segments[swept]
        if (segment && segment.firstEnd <= now) remake(swept, now, 0)
      }
    },
    get size() {
      return size
    },
    get bytes() {
      return slots * SLOT * Uint32Array.BYTES_PER_ELEMENT
    },
  }

  /** Makes a segment anew, of what is not over, with room for `more`. One that would be empty goes. */
  function remake(at: number, now: number, more: number): Segment {
    const old = segments[at]
    const live = old ? countLive(old, now) : 0
    const capacity = Math.max(LEAST_SLOTS, Math.ceil((live + more) / ROOMY))
    const segment: Segment = {
      slots: new Uint32Array(capacity * SLOT),
      capacity,
      used: 0,
      firstEnd: TWO_TO_32,
    }
    if (old) copyLive(old, segment, now)
    size += live - (old?.used ?? 0)
    const isKept = live + more > 0
    slots += (isKept ? capacity : 0) - (old?.capacity ?? 0)
    segments[at] = isKept ? segment : undefined
    return segment
  }
}

/** The slot of a mark, or the empty one where it belongs. There always is one: a segment is never full. */
function locate({ slots, capacity }: Segment, high: number, low: number): number {
  let index = Math.floor((low * capacity) / TWO_TO_32)
  for (;;) {
    const slot = index * SLOT
    if (slots[slot + END] === 0) return slot
    if (slots[slot + LOW] === low && slots[slot + HIGH] === high) return slot
    index = index + 1 === capacity ? 0 : index + 1
  }
}

function put(
  segment: Segment,
  slot: number,
  { high, low, epoch, expiresAt }: Mark & { epoch: number; expiresAt: number },
): void {
  const { slots } = segment
  slots[slot + HIGH] = high
  slots[slot + LOW] = low
  slots[slot + EPOCH] = epoch
  slots[slot + END] = expiresAt
  segment.used++
  segment.firstEnd = Math.min(segment.firstEnd, expiresAt)
}

/** An entry that is over counts no more, swept or not. */
function raise(
  { slots }: Segment,
  slot: number,
  { epoch, expiresAt, now }: { epoch: number; expiresAt: number; now: number },
): void {
  const before = (slots[slot + END] ?? 0) > now ? (slots[slot + EPOCH] ?? 0) : 0
  slots[slot + EPOCH] = Math.max(before, epoch)
  slots[slot + END] = Math.max(slots[slot + END] ?? 0, expiresAt)
}

function countLive({ slots }: Segment, now: number): number {
  let live = 0
  for (let slot = 0; slot < slots.length; slot += SLOT) if ((slots[slot + END] ?? 0) > now) live++
  return live
}

function copyLive(from: Segment, to: Segment, now: number): void {
  const { slots } = from
  for (let slot = 0; slot < slots.length; slot += SLOT) {
    const expiresAt = slots[slot + END] ?? 0
    if (expiresAt <= now) continue
    const [high, low, epoch] = [slots[slot + HIGH] ?? 0, slots[slot + LOW] ?? 0, slots[slot + EPOCH] ?? 0]
    put(to, locate(to, high, low), { high, low, epoch, expiresAt })
  }
}
