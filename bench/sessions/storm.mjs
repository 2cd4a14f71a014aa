import { load, paced, percentile } from './http-client.mjs'
import { login, me } from './workloads.mjs'

const CONNECTIONS = 512
const PER_SECOND = 100

/**
 * `GET /auth/me` a hundred times a second, first alone and then beside 512 connections that log in as fast as they are answered.
 * Idle and storm take turns, so that both see the same machine.
 *
 * @returns for each database what both came to; latencies in milliseconds, from the moment at which a request was due
 */
export async function measureStorm(stores, { stormSeconds, say }) {
  const results = []
  for (const { kind, sessions, server, used } of stores) {
    say(`storm of logins (${kind})`)
    const milliseconds = (stormSeconds * 1000) / 4
    const [client] = me(used.slice(0, 100), 1)
    const ask = () => paced({ port: server.port, milliseconds, perSecond: PER_SECOND, client })
    await ask()
    const [idle, busy, logins] = [[], [], []]
    for (let turn = 0; turn < 4; turn++) {
      idle.push(await ask())
      const storm = load({
        port: server.port,
        clients: login(used, CONNECTIONS),
        milliseconds: milliseconds + 500,
      })
      await new Promise((resolve) => setTimeout(resolve, 500))
      busy.push(await ask())
      logins.push(await storm)
    }
    results.push({
      name: `mapae, ${kind}`,
      sessions,
      idle: sum(idle),
      busy: sum(busy),
      logins: sumLogins(logins),
    })
  }
  return results
}

function sum(parts) {
  const latencies = Float64Array.from(parts.flatMap((part) => [...part.latencies])).sort()
  const failed = parts.reduce((total, part) => total + part.failed, 0)
  return {
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    answered: latencies.length,
    failed,
  }
}

function sumLogins(parts) {
  const of = (what) => parts.reduce((total, part) => total + part[what], 0)
  return {
    rate: of('answered') / of('seconds'),
    refusedRate: of('refused') / of('seconds'),
    failed: of('failed'),
  }
}
