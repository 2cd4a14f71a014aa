/**
 * Runs every function in turn, round after round, so that a slow moment of the machine hits all alike.
 * @returns for each name the operations a second of every round; the first two rounds only warm up
 */
export async function measure(functions, { rounds, milliseconds, clock }) {
  const batches = {}
  const samples = Object.fromEntries(Object.keys(functions).map((name) => [name, []]))
  for (let round = -2; round < rounds; round++) {
    for (const [name, act] of rotated(Object.entries(functions), round + 2)) {
      const rate = await rateOf(act, { milliseconds, clock, batch: batches[name] ?? 1 })
      batches[name] = Math.max(1, Math.round(rate / 2000)) // half a millisecond between looks at the clock
      if (round >= 0) samples[name].push(rate)
    }
  }
  return samples
}

/** Each round begins with another one, so that none always follows the same neighbour. */
function rotated(list, by) {
  const at = by % list.length
  return [...list.slice(at), ...list.slice(0, at)]
}

async function rateOf(act, { milliseconds, clock, batch }) {
  const isAsync = act() instanceof Promise
  const end = performance.now() + milliseconds
  const start = clock()
  let count = 0
  while (performance.now() < end) {
    if (isAsync) for (let n = 0; n < batch; n++) await act()
    else for (let n = 0; n < batch; n++) act()
    count += batch
  }
  return (count / (clock() - start)) * 1000
}

/** Milliseconds as they pass: for a machine with nothing else to do. */
export const wallClock = () => performance.now()

/** Milliseconds in which a processor worked for this process: for a busy machine. */
export function processorClock() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/** The median of the ratios of each round: noise that lasts longer than a round hits both and cancels out. */
export function medianRatio(values, others) {
  return median(values.map((value, round) => value / others[round]))
}
