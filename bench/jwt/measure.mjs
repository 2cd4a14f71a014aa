/**
 * Runs every function in turn, round after round, so that a slow moment of the machine hits all alike.
 * @returns for each name the operations a second of every round; the first two rounds only warm up
 */
export async function measure(functions, { rounds, milliseconds }) {
  const batches = {}
  const samples = Object.fromEntries(Object.keys(functions).map((name) => [name, []]))
  for (let round = -2; round < rounds; round++) {
    for (const [name, act] of Object.entries(functions)) {
      const rate = await rateOf(act, milliseconds, batches[name] ?? 1)
      batches[name] = Math.max(1, Math.round(rate / 2000)) // half a millisecond between looks at the clock
      if (round >= 0) samples[name].push(rate)
    }
  }
  return samples
}

async function rateOf(act, milliseconds, batch) {
  const isAsync = act() instanceof Promise
  const start = performance.now()
  const end = start + milliseconds
  let count = 0
  while (performance.now() < end) {
    if (isAsync) for (let n = 0; n < batch; n++) await act()
    else for (let n = 0; n < batch; n++) act()
    count += batch
  }
  return (count / (performance.now() - start)) * 1000
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/** The median of the ratios of each round: noise that lasts longer than a round hits both and cancels out. */
export function medianRatio(values, others) {
  return median(values.map((value, round) => value / others[round]))
}
