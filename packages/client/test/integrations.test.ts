import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ClientOptions } from '@mapae/client'
import { sendingBy } from '@mapae/client/axios'
import { clearOnChange, json, retry } from '@mapae/client/tanstack-query'
import { authorizedSocket } from '@mapae/client/websocket'
import { createGuard } from '@mapae/guard'
import { protectUpgrades } from '@mapae/guard/ws'
import { QueryClient } from '@tanstack/react-query'
import axios from 'axios'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { atTheEnd } from '../../server/test/start-auth.ts'
import { LIFE, registered, startWorld, URL_OF_AUTH } from './start-world.ts'

async function startClient() {
  const { device, time } = await startWorld()
  const { client: open, ...rest } = device()
  const client = open()
  const email = await registered(client)
  return { ...rest, time, client, email }
}

describe('axios', () => {
  it('sends by the client, and keeps its own ways', async () => {
    const { client, email, time, sent } = await startClient()
    const http = axios.create({ baseURL: URL_OF_AUTH, ...sendingBy(client) })
    expect((await http.get('/auth/me')).data).toMatchObject({ user: { email } })
    time.advance(LIFE * 1000)
    expect((await http.patch('/auth/me', { name: '마패' })).data).toMatchObject({ user: { name: '마패' } })
    expect(sent('/auth/refresh')).toBeGreaterThan(0)
    await expect(http.get('/nothing')).rejects.toMatchObject({ response: { status: 404 } })
  })
})

describe('TanStack Query', () => {
  it('reads by the client, repeats what may pass, and forgets when somebody logs out', async () => {
    const { client, email } = await startClient()
    const queries = new QueryClient({ defaultOptions: { queries: { retry } } })
    const stop = clearOnChange(client, queries)
    const me = { queryKey: ['me'], queryFn: json(client, `${URL_OF_AUTH}/auth/me`) }
    expect(await queries.fetchQuery(me)).toMatchObject({ user: { email } })
    const missing = { queryKey: ['nothing'], queryFn: json(client, `${URL_OF_AUTH}/nothing`) }
    await expect(queries.fetchQuery(missing)).rejects.toMatchObject({ code: 'not_found', status: 404 })
    await client.logout()
    expect(queries.getQueryData(['me'])).toBeUndefined()
    stop()
    queries.clear()
  })
})

describe('a WebSocket', () => {
  const start = async (options: Partial<ClientOptions> = {}) => {
    const world = await startWorld()
    const client = world.device().client({ apis: ['http://localhost:3999'], ...options })
    await registered(client)
    const guard = createGuard({
      issuer: URL_OF_AUTH,
      url: 'http://localhost:3999',
      clock: world.time.now,
      fetch: (input, init) => world.auth.fetch(new Request(input, init)),
    })
    const http = createServer()
    const sockets = new WebSocketServer({ noServer: true })
    const upgraded = protectUpgrades(
      guard,
      sockets,
      (socket: WebSocket, connection) => {
        connection.onMessage((data) => socket.send(`${connection.claims().exp}: ${data}`))
      },
      { firstMessage: true, clock: world.time.now, checkEvery: 5 },
    )
    http.on('upgrade', upgraded)
    await new Promise<void>((resolve) => http.listen(0, 'localhost', resolve))
    atTheEnd(async () => {
      for (const socket of sockets.clients) socket.terminate()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    })
    const { port } = http.address() as AddressInfo
    /** The guard knows its public address; a proxy in front of it has another one. */
    class Socket extends WebSocket {
      constructor(url: string | URL) {
        super(String(url).replace('3999', String(port)))
      }
    }
    const open = () =>
      authorizedSocket(client, 'ws://localhost:3999/live?x=1', { WebSocket: Socket as never })
    return { ...world, client, open }
  }

  const heardBy = (socket: globalThis.WebSocket | undefined): string[] => {
    const heard: string[] = []
    socket?.addEventListener('message', ({ data }) => heard.push(String(data)))
    return heard
  }

  it.each([
    ['bound to a key', {}],
    ['not bound', { dangerouslyUnbound: true }],
  ])(
    'lives on by renewed tokens with a guard, and ends with its session, which is %s',
    async (_, options) => {
      const { client, open, time } = await start(options)
      const socket = await open()
      const heard = heardBy(socket)
      socket?.send('hello') // at once: the token is accepted
      await expect.poll(() => heard).toContainEqual(expect.stringMatching(/^\d+: hello$/))
      time.advance((LIFE - 20) * 1000)
      await client.accessToken()
      await expect.poll(() => heard.some((text) => text.includes('mapae.accepted'))).toBe(true)
      time.advance(60_000)
      socket?.send('still here')
      await expect.poll(() => heard).toContainEqual(expect.stringMatching(/still here$/))
      const closed = new Promise<number>((resolve) => {
        socket?.addEventListener('close', ({ code }) => resolve(code))
      })
      await client.logout()
      expect(await closed).toBe(4401)
      expect(await open()).toBeUndefined()
    },
  )

  it('keeps the answers to tokens from the app, and throws what a server does not accept', async () => {
    const { client } = await startClient()
    const sockets: FakeSocket[] = []
    let answer: object = { type: 'mapae.accepted', expires_at: 1 }
    class FakeSocket extends EventTarget {
      readyState = 1
      closedWith: number | undefined
      constructor() {
        super()
        sockets.push(this)
        queueMicrotask(() => this.dispatchEvent(new Event('open')))
      }
      send(): void {
        this.hear(JSON.stringify(answer))
      }
      hear(data: string): void {
        this.dispatchEvent(new MessageEvent('message', { data }))
      }
      close(): void {}
    }
    const open = () =>
      authorizedSocket(client, 'wss://auth.example.com/live', { WebSocket: FakeSocket as never })
    const heard = heardBy(await open())
    sockets[0]?.hear('{"type":"mapae.accepted"}')
    sockets[0]?.hear('{"type":"news"}')
    expect(heard).toEqual(['{"type":"news"}'])
    answer = { type: 'mapae.refused', code: 'insufficient_scope', description: 'No.' }
    await expect(open()).rejects.toMatchObject({ code: 'insufficient_scope', message: 'No.' })
  })
})
