import type { Server } from 'node:http'
import type { Socket } from 'node:net'

const LOOK_AGAIN = 50

/** Lets servers end. */
export interface Drain {
  /** Watches the connections of a server from its beginning, because Node does not count a silent new one as idle. */
  watch(server: Server): Server
  /** Whether it has begun: an answer that goes out from then on should end its connection. */
  readonly begun: boolean
  /**
   * Accepts nothing more, lets the requests under way finish, and then resolves to how many connections it had to cut: those
   * that are still busy after `patience` milliseconds. Idle connections are closed at once.
   */
  finish(patience: number): Promise<number>
}

export function createDrain(): Drain {
  const servers: Server[] = []
  const open = new Set<Socket>()
  let begun = false
  return {
    watch(server) {
      servers.push(server)
      return server.on('connection', (socket) => {
        open.add(socket)
        socket.once('close', () => open.delete(socket))
      })
    },
    get begun() {
      return begun
    },
    async finish(patience) {
      begun = true
      let cut = 0
      const closed = Promise.all(servers.map(close))
      const looking = setInterval(() => closeIdle(servers, open), LOOK_AGAIN)
      const impatience = setTimeout(() => {
        cut = open.size
        for (const socket of open) socket.destroy()
      }, patience)
      await closed
      clearInterval(looking)
      clearTimeout(impatience)
      return cut
    },
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}

/** A connection on which nothing has come, as browsers open them in advance, has no request under way. */
function closeIdle(servers: readonly Server[], open: ReadonlySet<Socket>): void {
  for (const server of servers) server.closeIdleConnections()
  for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
}
