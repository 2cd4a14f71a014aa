/**
 * The circles in a graph, each once, as the way around that ends where it began.
 * @param {Map<string, string[]>} graph each point with those that it leads to
 * @returns {string[][]}
 */
export function findCycles(graph) {
  /** @type {string[][]} */
  const cycles = []
  const done = new Set()
  /** @type {string[]} */
  const way = []

  const walk = (/** @type {string} */ point) => {
    const before = way.indexOf(point)
    if (before !== -1) cycles.push([...way.slice(before), point])
    if (before !== -1 || done.has(point)) return

    way.push(point)
    for (const next of graph.get(point) ?? []) walk(next)
    way.pop()
    done.add(point)
  }

  for (const point of graph.keys()) walk(point)
  return cycles
}
