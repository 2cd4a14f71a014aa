import { sendingBy } from '@mapae/client/axios'
import { clearOnChange, json, retry } from '@mapae/client/tanstack-query'
import { authorizedSocket } from '@mapae/client/websocket'
import { QueryClient } from '@tanstack/react-query'
import axios from 'axios'
import { describe, expect, it } from 'vitest'
import { startGuardedChat } from '../../guard/test/guarded-chat.ts'
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
  async function startBehindGuard({ wrongBy = 0 } = {}) {
    const { auth, device, time } = await startWorld()
    const client = device().client({ dangerouslyUnbound: true })
    await registered(client)
    const clock = () => time.now() + wrongBy * 1000
    const chat = await startGuardedChat({ issuer: URL_OF_AUTH, keys: auth.keys, clock })
    atTheEnd(async () => chat.close())
    const open = () =>
      authorizedSocket(client, 'wss://auth.example.com/live', { WebSocket: chat.WebSocket as never })
    return { client, time, heard: chat.heard, open }
  }

  it('is served by a guard as soon as it is given, and lives on with each new token', async () => {
    const { client, time, heard, open } = await startBehindGuard()
    const socket = await open()
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

  it('is not given where the guard refuses the token', async () => {
    const { open } = await startBehindGuard({ wrongBy: LIFE })
    await expect(open()).rejects.toThrow('4001')
  })

  it('is told the access token first, each new one after it, and closes with the session', async () => {
    const { client, time } = await startClient()
    const sockets: FakeSocket[] = []
    class FakeSocket extends EventTarget {
      readyState = 0
      readonly sent: string[] = []
      closedWith: number | undefined
      constructor() {
        super()
        sockets.push(this)
        queueMicrotask(() => {
          this.readyState = 1
          this.dispatchEvent(new Event('open'))
        })
      }
      send(text: string): void {
        this.sent.push(JSON.parse(text).access_token)
        const data = '{"type":"mapae.accepted"}'
        queueMicrotask(() => this.dispatchEvent(new MessageEvent('message', { data })))
      }
      close(code: number): void {
        this.closedWith = code
        this.dispatchEvent(new Event('close'))
      }
    }
    await authorizedSocket(client, 'wss://auth.example.com/live', { WebSocket: FakeSocket as never })
    const [socket] = sockets
    expect(socket?.sent).toEqual([await client.accessToken()])
    time.advance(LIFE * 1000)
    const renewed = await client.accessToken()
    await expect.poll(() => socket?.sent.at(-1)).toBe(renewed)
    expect(socket?.sent).toHaveLength(2)
    await client.logout()
    expect(socket?.closedWith).toBe(4401)
    expect(await authorizedSocket(client, 'wss://auth.example.com/live')).toBeUndefined()
  })
})
