import { load, percentile } from './http-client.mjs'

/** A login takes as long as a thousand other requests: its rounds are longer. */
const STRETCHED = { login: 2.5 }

/**
 * Measures every contender at every number of connections, round after round in turn, so that a slow moment of the machine hits all
 * alike. The first round only warms up.
 *
 * @returns {Promise<Measured[]>}
 * @typedef {{ name: string, sessions?: number, connections: number, rounds: Round[] }} Measured
 * @typedef {{ rate: number, perCpu: number, p50: number, p99: number, refused: number, failed: number, loader: number }} Round
 *   `perCpu`: answers for each second that processors worked for the server; `loader`: the share of a processor that the loader took
 */
export async function measure(contenders, { operation, connections, rounds, milliseconds, say }) {
  const length = milliseconds * (STRETCHED[operation] ?? 1)
  const measured = []
  say(`${operation}: warming up`)
  for (const { warm, server } of contenders) if (warm) await warmUp(server, warm())
  for (const count of connections) {
    say(`${operation}, ${count} connections`)
    const present = contenders.filter(({ only = count }) => only === count)
    const prepared = present.map((one) => ({ ...one, ready: one.clients?.(count), rounds: [] }))
    for (let round = -1; round < rounds; round++)
      for (const one of rotated(prepared, round + 1)) {
        const result = await measureRound(one, { connections: count, milliseconds: length })
        if (round >= 0) one.rounds.push(result)
      }
    for (const { name, sessions, rounds } of prepared)
      measured.push({ name, sessions, connections: count, rounds })
  }
  return measured
}

/** Each round begins with another one, so that none always follows the same neighbour. */
function rotated(list, by) {
  const at = by % list.length
  return [...list.slice(at), ...list.slice(0, at)]
}

async function measureRound({ server, ready, run }, { connections, milliseconds }) {
  const [workedBefore, ownBefore] = [await server.cpu(), process.cpuUsage()]
  const result = run
    ? await run({ connections, milliseconds })
    : await load({ port: server.port, clients: ready, milliseconds })
  const [worked, own] = [(await server.cpu()) - workedBefore, process.cpuUsage(ownBefore)]
  const { answered, refused, failed, seconds, latencies } = result
  return {
    rate: answered / seconds,
    perCpu: answered / worked,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    refused,
    failed,
    loader: (own.user + own.system) / 1e6 / seconds,
  }
}

/** Lets clients that end by themselves do what they have to. */
export async function warmUp(server, clients) {
  const { failed, refused } = await load({ port: server.port, clients, milliseconds: 240_000 })
  if (failed + refused > 0) throw new Error(`${failed} requests failed and ${refused} were refused`)
}

export function median(values) {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b)
  return sorted.length === 0 ? Number.NaN : sorted[Math.floor(sorted.length / 2)]
}

/** The median of the ratios of each round: noise that lasts longer than a round hits both and cancels out. */
export function medianRatio(one, other, what) {
  return median(one.rounds.map((round, at) => round[what] / other.rounds[at][what]))
}
