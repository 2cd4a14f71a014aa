import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard } from '@mapae/guard'
import { protectUpgrades } from '@mapae/guard/ws'
import { describe, expect, test } from 'vitest'
import { WebSocketServer, WebSocket as Ws } from 'ws'
import { authorizedSocket } from '../../client/src/websocket.ts'
import { LIFE, registered, startWorld, URL_OF_AUTH, type World } from '../../client/test/start-world.ts'
import { atTheEnd } from '../../server/test/start-auth.ts'

describe('a WebSocket of the client', () => {
  test('is served by a guard as soon as it is given, and lives on with each new token', async () => {
    const { auth, device, time } = await startWorld()
    const client = device().client({ dangerouslyUnbound: true })
    await registered(client)
    const heard: string[] = []
    const port = await startGuardedChat(auth, time.now, heard)
    class ToTheChat extends Ws {
      constructor() {
        super(`ws://localhost:${port}/live`)
      }
    }
    const socket = await authorizedSocket(client, 'wss://auth.example.com/live', {
      WebSocket: ToTheChat as never,
    })
    const answers: string[] = []
    socket?.addEventListener('message', ({ data }) => answers.push(JSON.parse(data).type))
    socket?.send('hello')
    await expect.poll(() => heard).toEqual(['hello'])
    expect(answers).toEqual([])
    time.advance(LIFE * 1000)
    await client.accessToken()
    await expect.poll(() => answers).toEqual(['mapae.accepted'])
    socket?.send('hello again')
    await expect.poll(() => heard).toEqual(['hello', 'hello again'])
    await client.logout()
  })

  test('is not given where the guard refuses the token', async () => {
    const { auth, device, time } = await startWorld()
    const client = device().client({ dangerouslyUnbound: true })
    await registered(client)
    const port = await startGuardedChat(auth, () => time.now() + LIFE * 1000, [])
    class ToTheChat extends Ws {
      constructor() {
        super(`ws://localhost:${port}/live`)
      }
    }
    const opening = authorizedSocket(client, 'wss://auth.example.com/live', { WebSocket: ToTheChat as never })
    await expect(opening).rejects.toThrow('4001')
  })
})

/** Hears what it is told behind a guard; gives its port. */
async function startGuardedChat(auth: World['auth'], clock: () => number, heard: string[]): Promise<number> {
  const guard = createGuard({ issuer: URL_OF_AUTH, keys: auth.keys, clock, revocations: false })
  const chat = new WebSocketServer({ noServer: true })
  const server = createServer()
  const upgraded = protectUpgrades(
    guard,
    chat,
    (_: Ws, { onMessage }) => onMessage((data) => heard.push(String(data))),
    { firstMessage: true, clock, checkEvery: 3_600_000 },
  )
  server.on('upgrade', upgraded)
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening))
  atTheEnd(async () => {
    for (const socket of chat.clients) socket.terminate()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
