/** Runs every function in turn, round after round, so that a slow moment hits all alike; gives the median of operations a second. */
export async function measure(functions, { rounds, milliseconds }) {
  const samples = Object.fromEntries(Object.keys(functions).map((name) => [name, []]))
  for (let round = 0; round < rounds + 1; round++) {
    for (const [name, act] of Object.entries(functions)) {
      const rate = await rateOf(act, milliseconds)
      if (round > 0) samples[name].push(rate) // the first round only warms up
    }
  }
  return Object.fromEntries(Object.entries(samples).map(([name, rates]) => [name, median(rates)]))
}

async function rateOf(act, milliseconds) {
  const isAsync = act() instanceof Promise
  const start = performance.now()
  const end = start + milliseconds
  let count = 0
  while (performance.now() < end) {
    for (let n = 0; n < 16; n++) isAsync ? await act() : act()
    count += 16
  }
  return (count / (performance.now() - start)) * 1000
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
