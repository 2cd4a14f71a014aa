import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard, type GuardOptions } from '@mapae/guard'
import { protectUpgrades } from '@mapae/guard/ws'
import { WebSocket, WebSocketServer } from 'ws'

/** A WebSocket behind a guard that keeps what it hears, for tokens that come in the first message. */
export async function startGuardedChat(options: GuardOptions) {
  const heard: string[] = []
  const chat = new WebSocketServer({ noServer: true })
  const server = createServer()
  const upgraded = protectUpgrades(
    createGuard({ revocations: false, ...options }),
    chat,
    (_: WebSocket, { onMessage }) => onMessage((data) => heard.push(String(data))),
    { firstMessage: true, clock: options.clock, checkEvery: 3_600_000 },
  )
  server.on('upgrade', upgraded)
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening))
  const { port } = server.address() as AddressInfo
  return {
    heard,
    /** Leads there, whatever address it is given. */
    WebSocket: class extends WebSocket {
      constructor() {
        super(`ws://localhost:${port}/live`)
      }
    },
    close() {
      for (const socket of chat.clients) socket.terminate()
      server.close()
    },
  }
}
