/** Memory that is used again and again, each time for as long as nobody else's code runs. */
export interface Scratch {
  /** Room for `size` bytes: the memory itself, or new one where that is too small. */
  room(size: number): Buffer
  /** The first `length` bytes of such room. */
  first(room: Buffer, length: number): Buffer
}

/** Views are made once for each length, up to this many: making one costs more than filling it. */
const MOST_VIEWS = 256

export function createScratch(size: number): Scratch {
  const memory = Buffer.allocUnsafeSlow(size)
  const views = new Map<number, Buffer>()
  return {
    room: (wanted) => (wanted <= size ? memory : Buffer.allocUnsafeSlow(wanted)),
    first(room, length) {
      if (room !== memory) return room.subarray(0, length)
      const known = views.get(length)
      if (known) return known
      if (views.size === MOST_VIEWS) views.clear()
      const view = memory.subarray(0, length)
      views.set(length, view)
      return view
    },
  }
}
