import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A line to a database that a test can cut: the same address before, meanwhile and after. */
export async function startTcpProxy(target: { readonly host: string; readonly port: number }) {
  const pairs = new Set<readonly [Socket, Socket]>()
  let server: Server | undefined
  let port = 0

  const listen = async () => {
    server = createServer((near) => {
      const far = connect(target.port, target.host)
      const pair = [near, far] as const
      pairs.add(pair)
      for (const [socket, other] of [pair, [far, near] as const]) {
        socket.pipe(other)
        socket.on('error', () => other.destroy())
        socket.on('close', () => {
          other.destroy()
          pairs.delete(pair)
        })
      }
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }
  await listen()

  return {
    port,
    /** Every connection is reset, and new ones are refused. */
    async cut() {
      for (const pair of pairs) for (const socket of pair) socket.destroy()
      const closing = server
      server = undefined
      if (closing) await new Promise((closed) => closing.close(closed))
    },
    restore: listen,
    /** The connections that there are fall silent, without an end; new ones work. */
    silence() {
      for (const [near, far] of pairs) {
        near.unpipe(far)
        far.unpipe(near)
      }
    },
  }
}
