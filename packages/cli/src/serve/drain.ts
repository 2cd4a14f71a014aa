import { once } from 'node:events'
import type { Server } from 'node:http'

const LOOK_AGAIN = 50

/**
 * Accepts nothing more, lets the requests under way finish, and then resolves to how many connections it had to cut: those
 * that are still busy after `patience` milliseconds. Idle connections are closed at once.
 */
export async function drain(servers: readonly Server[], patience: number): Promise<number> {
  const closed = Promise.all(servers.map((server) => once(server, 'close')))
  for (const server of servers) server.close()
  const closeIdle = () => {
    for (const server of servers) server.closeIdleConnections()
  }
  const looking = setInterval(closeIdle, LOOK_AGAIN)
  const cut = { count: 0 }
  const impatience = setTimeout(async () => {
    cut.count = await connectionsOf(servers)
    for (const server of servers) server.closeAllConnections()
  }, patience)
  await closed
  clearInterval(looking)
  clearTimeout(impatience)
  return cut.count
}

async function connectionsOf(servers: readonly Server[]): Promise<number> {
  const counts = servers.map(
    (server) =>
      new Promise<number>((resolve) => {
        server.getConnections((_, count) => resolve(count ?? 0))
      }),
  )
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}
