import { createServer, request, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type AccessClaims, createGuard, type GuardOptions } from '@mapae/guard'
import { guardConnection, guardEventStream, guardEvents, type Revocations } from '@mapae/guard/connection'
import { createNonces } from '@mapae/guard/dpop'
import { claimsOf, protect } from '@mapae/guard/node'
import { type GuardedSocket, protectUpgrades, type UpgradeOptions } from '@mapae/guard/ws'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { startDevice } from '../../../test-support/device.ts'
import { type Issuer, renewalOf, start, startIssuer } from './issuer.ts'

let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
beforeEach(() => {
  issuer.state.now = start
})
afterAll(() => issuer.close())

const servers: Server[] = []
const chats: WebSocketServer[] = []
afterEach(async () => {
  for (const chat of chats.splice(0)) for (const client of chat.clients) client.terminate()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  }
})

async function listening(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, 'localhost', done))
  return (server.address() as AddressInfo).port
}

/** An app whose guard hears of revocations. */
function revocations() {
  const sids = new Set<string | undefined>()
  const listeners = new Set<() => void>()
  return {
    sids,
    listeners,
    revoked: ({ sid }: AccessClaims) => sids.has(sid),
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  } satisfies Revocations & Record<string, unknown>
}

describe('a WebSocket', () => {
  /** Echoes what it hears, with the name of the one who said it. */
  async function startChat(options: UpgradeOptions = {}, guardOptions: Partial<GuardOptions> = {}) {
    const guard = createGuard({ issuer: issuer.url, clock: issuer.clock, ...guardOptions })
    const http = createServer()
    const state: { connections: GuardedSocket[] } = { connections: [] }
    const sockets = new WebSocketServer({ noServer: true })
    chats.push(sockets)
    const upgraded = protectUpgrades(
      guard,
      sockets,
      (socket: WebSocket, connection) => {
        state.connections.push(connection)
        connection.onMessage((data) => socket.send(`${connection.claims().sub}: ${data}`))
      },
      { clock: issuer.clock, checkEvery: 5, ...options },
    )
    http.on('upgrade', upgraded)
    return { url: `ws://localhost:${await listening(http)}/chat`, state }
  }

  /** A client that keeps what it hears, and how it ended. */
  async function join(url: string, headers: Record<string, string> = {}) {
    const socket = new WebSocket(url, { headers })
    const heard: string[] = []
    const waiting: (() => void)[] = []
    socket.on('message', (data) => {
      heard.push(String(data))
      for (const wake of waiting.splice(0)) wake()
    })
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }))
    })
    const opened = await new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
      (resolve, reject) => {
        let upgrade: Record<string, unknown> = {}
        socket.on('upgrade', (response) => {
          upgrade = response.headers
        })
        socket.on('open', () => resolve({ status: 101, headers: upgrade, body: '' }))
        socket.on('unexpected-response', async (_, response) => {
          const body = Buffer.concat(await response.toArray()).toString()
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
        })
        socket.on('error', reject)
      },
    )
    return {
      ...opened,
      closed,
      hangUp: () => socket.close(),
      send: (message: unknown) =>
        socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
      async next() {
        while (heard.length === 0) await new Promise<void>((wake) => waiting.push(wake))
        return heard.shift()
      },
      async nextJson() {
        return JSON.parse(String(await this.next()))
      },
    }
  }

  const bearer = (token = issuer.token()) => ({ authorization: `Bearer ${token}` })
  const tokenMessage = (token: string, more = {}) => ({ type: 'mapae.token', access_token: token, ...more })

  test('opens with an access token in the Authorization field', async () => {
    const chat = await startChat()
    const client = await join(chat.url, bearer())
    client.send('hello')
    expect(await client.next()).toBe('account-1: hello')
  })

  test('is refused over HTTP without one, wherever else it may stand', async () => {
    const chat = await startChat()
    for (const url of [chat.url, `${chat.url}?access_token=${issuer.token()}`]) {
      const refused = await join(url)
      expect(refused).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } })
      expect(JSON.parse(refused.body)).toMatchObject({ code: 'token_required' })
    }
    expect(await join(chat.url, bearer('bad'))).toMatchObject({ status: 401 })
    expect(chat.state.connections).toEqual([])
  })

  test('is refused without the scope', async () => {
    const chat = await startChat({ scope: 'chat' })
    expect(await join(chat.url, bearer())).toMatchObject({ status: 403 })
    expect(await join(chat.url, bearer(issuer.token({ scope: 'chat' })))).toMatchObject({ status: 101 })
  })

  test('opens with the cookie only for a page of an allowed origin', async () => {
    const chat = await startChat({}, { allowedOrigins: ['https://app.example'] })
    const cookie = `${issuer.cookie}=${issuer.token()}`
    expect(await join(chat.url, { cookie, origin: 'https://app.example' })).toMatchObject({ status: 101 })
    for (const origin of [{ origin: 'https://evil.example' }, {}] as Record<string, string>[]) {
      const refused = await join(chat.url, { cookie, ...origin })
      expect({ status: refused.status, code: JSON.parse(refused.body).code }).toEqual({
        status: 403,
        code: 'origin_not_allowed',
      })
    }
  })

  test('gets a renewed token with the upgrade', async () => {
    const chat = await startChat({}, { renew: renewalOf(issuer).renew })
    const cookie = `${issuer.cookie}=${issuer.token()}; ${issuer.refreshCookie}=good`
    issuer.state.now += 301_000
    const client = await join(chat.url, { cookie, origin: issuer.url })
    expect(client).toMatchObject({ status: 101, headers: { 'cache-control': 'private, no-store' } })
    expect(String(client.headers['set-cookie'])).toContain(issuer.cookie)
  })

  test('closes with 4001 when its token expires', async () => {
    const chat = await startChat()
    const client = await join(chat.url, bearer())
    issuer.state.now += 300_000
    expect(await client.closed).toEqual({ code: 4001, reason: 'token_expired' })
  })

  test.each(['by itself', 'when told'])('closes with 4001 when its token is revoked, %s', async (how) => {
    const revoked = revocations()
    const chat = await startChat({
      revocations: how === 'when told' ? revoked : { revoked: revoked.revoked },
      checkEvery: how === 'when told' ? 3_600_000 : 5,
    })
    const client = await join(chat.url, bearer())
    const other = await join(chat.url, bearer(issuer.token({ sid: 'session-2' })))
    revoked.sids.add('session-1')
    for (const listener of revoked.listeners) listener()
    expect(await client.closed).toEqual({ code: 4001, reason: 'token_revoked' })
    other.send('still here')
    expect(await other.next()).toBe('account-1: still here')
    other.hangUp()
    await other.closed
    await expect.poll(() => revoked.listeners.size).toBe(0)
  })

  test('is not heard any more once its token is over, also where its client does not let go', async () => {
    const chat = await startChat()
    const heard: string[] = []
    const client = await joinStubbornly(chat.url, bearer())
    chat.state.connections[0]?.onMessage((data) => heard.push(String(data)))
    client.write(0x1, 'before')
    await expect.poll(() => heard).toEqual(['before'])
    issuer.state.now += 300_000
    await expect.poll(() => client.sent()).toContain('token_expired')
    client.write(0x1, 'after')
    client.write(0x1, JSON.stringify(tokenMessage(issuer.token())))
    client.write(0x1, 'with a fresh token')
    client.write(0x8, '')
    await client.closed
    expect(heard).toEqual(['before'])
  })

  /** A client that writes frames of its own, and answers no close (RFC 6455 §5.2). */
  async function joinStubbornly(url: string, headers: Record<string, string>) {
    const upgrade = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
    const key = { 'sec-websocket-key': Buffer.alloc(16).toString('base64') }
    const asked = request(url.replace('ws:', 'http:'), { headers: { ...headers, ...upgrade, ...key } })
    asked.end()
    const socket = await new Promise<Socket>((resolve) => asked.on('upgrade', (_, its) => resolve(its)))
    let sent = ''
    socket.on('data', (bytes) => {
      sent += bytes.toString('latin1')
    })
    return {
      sent: () => sent,
      closed: new Promise((resolve) => socket.on('close', resolve)),
      write(opcode: number, text: string) {
        const payload = Buffer.from(text)
        const length =
          payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 255]
        socket.write(Buffer.concat([Buffer.from([0x80 | opcode, ...length, 0, 0, 0, 0]), payload]))
      },
    }
  }

  test('lives on with a fresh token of the same session, in a message that the app does not hear', async () => {
    const chat = await startChat()
    const client = await join(chat.url, bearer())
    issuer.state.now += 299_000
    client.send(tokenMessage(issuer.token({ jti: 'token-2' })))
    expect(await client.nextJson()).toEqual({
      type: 'mapae.accepted',
      expires_at: issuer.state.now / 1000 + 300,
    })
    issuer.state.now += 299_000
    client.send('hello')
    expect(await client.next()).toBe('account-1: hello')
    expect(chat.state.connections[0]?.claims().jti).toBe('token-2')
    issuer.state.now += 1000
    expect(await client.closed).toEqual({ code: 4001, reason: 'token_expired' })
  })

  test.each([
    ['of another session', { sid: 'session-2' }, 'other_session'],
    ['of another account', { sub: 'account-2' }, 'other_session'],
    ['of another audience', { aud: 'https://other.example' }, 'invalid_token'],
    ['without the scope', { scope: 'other' }, 'insufficient_scope'],
  ])('lives no longer with a token %s', async (_, changes, code) => {
    const chat = await startChat({ scope: 'orders:read' })
    const client = await join(chat.url, bearer())
    issuer.state.now += 299_000
    client.send(tokenMessage(issuer.token(changes)))
    expect(await client.nextJson()).toMatchObject({ type: 'mapae.refused', code })
    client.send('hello')
    expect(await client.next()).toBe('account-1: hello')
    issuer.state.now += 1000
    expect(await client.closed).toEqual({ code: 4001, reason: 'token_expired' })
  })

  test('takes a bound token in a message only with its proof', async () => {
    const device = await startDevice()
    const chat = await startChat({}, { url: 'https://api.example' })
    const proof = (token: string) =>
      device.proof({ method: 'GET', url: 'https://api.example/chat', now: issuer.state.now, token })
    const bound = issuer.token({ cnf: { jkt: device.jkt } })
    const headers = { authorization: `DPoP ${bound}`, dpop: await proof(bound) }
    const client = await join(chat.url, headers)
    const fresh = issuer.token({ cnf: { jkt: device.jkt }, jti: 'token-2' })
    client.send(tokenMessage(fresh))
    expect(await client.nextJson()).toMatchObject({ type: 'mapae.refused', code: 'invalid_token' })
    client.send(tokenMessage(fresh, { dpop: await proof(bound) }))
    expect(await client.nextJson()).toMatchObject({ type: 'mapae.refused', code: 'invalid_dpop_proof' })
    client.send(tokenMessage(fresh, { dpop: await proof(fresh) }))
    expect(await client.nextJson()).toMatchObject({ type: 'mapae.accepted' })
  })

  test('tells the nonce that the proof of a message needs', async () => {
    const device = await startDevice()
    const dpopNonces = createNonces({ keys: [Buffer.alloc(32, 1)], clock: issuer.clock })
    const chat = await startChat({ firstMessage: true }, { url: 'https://api.example', dpopNonces })
    const token = issuer.token({ cnf: { jkt: device.jkt } })
    const asked = { method: 'GET', url: 'https://api.example/chat', now: issuer.state.now, token }
    const client = await join(chat.url)
    client.send(tokenMessage(token, { dpop: await device.proof(asked) }))
    const { code, dpop_nonce: nonce } = await client.nextJson()
    expect(code).toBe('use_dpop_nonce')
    const again = await join(chat.url)
    again.send(tokenMessage(token, { dpop: await device.proof({ ...asked, nonce }) }))
    expect(await again.nextJson()).toMatchObject({ type: 'mapae.accepted' })
  })

  test('leaves to the app what is no token, as text or bytes', async () => {
    const chat = await startChat()
    const client = await join(chat.url, bearer())
    for (const message of [
      '{"type":"mapae.token"}',
      '{"type":"mapae.token","access_token":1}',
      '{"type":"mapae.token","access_token":"x","dpop":1}',
      '["mapae.token"]',
      'mapae.token {',
      'null mapae.token',
      JSON.stringify(tokenMessage('x'.repeat(33_000))),
    ]) {
      client.send(message)
      expect(await client.next()).toBe(`account-1: ${message}`)
    }
  })

  describe('that may send its token first', () => {
    const options = { firstMessage: true }

    test('opens, and serves once a good one came', async () => {
      const chat = await startChat(options)
      const client = await join(chat.url)
      expect(chat.state.connections).toEqual([])
      client.send(tokenMessage(issuer.token()))
      expect(await client.nextJson()).toEqual({ type: 'mapae.accepted', expires_at: start / 1000 + 300 })
      client.send('hello')
      expect(await client.next()).toBe('account-1: hello')
      issuer.state.now += 300_000
      expect(await client.closed).toEqual({ code: 4001, reason: 'token_expired' })
    })

    test('is closed for a bad one, and hears why', async () => {
      const chat = await startChat({ ...options, scope: 'chat' })
      for (const [token, code] of [
        ['bad', 'invalid_token'],
        [issuer.token(), 'insufficient_scope'],
      ] as const) {
        const client = await join(chat.url)
        client.send(tokenMessage(token))
        expect(await client.nextJson()).toMatchObject({ type: 'mapae.refused', code })
        expect(await client.closed).toEqual({ code: 4001, reason: code })
      }
      expect(chat.state.connections).toEqual([])
    })

    test('is closed for anything else first, or at once after it', async () => {
      const chat = await startChat(options)
      const client = await join(chat.url)
      client.send('hello')
      expect(await client.closed).toEqual({ code: 4001, reason: 'token_required' })
      const hasty = await join(chat.url)
      hasty.send(tokenMessage('bad'))
      hasty.send('hello')
      expect(await hasty.closed).toMatchObject({ code: 4001 })
      expect(chat.state.connections).toEqual([])
    })

    test('is closed when none comes in time', async () => {
      const chat = await startChat({ ...options, firstMessageWithin: 20 })
      expect(await (await join(chat.url)).closed).toEqual({ code: 4001, reason: 'token_required' })
    })

    test('may still come with one at once, and is refused for a bad one', async () => {
      const chat = await startChat(options)
      const client = await join(chat.url, bearer())
      client.send('hello')
      expect(await client.next()).toBe('account-1: hello')
      expect(await join(chat.url, bearer('bad'))).toMatchObject({ status: 401 })
    })
  })
})

describe('server-sent events', () => {
  const open = async (url: string) => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${issuer.token()}` } })
    if (!response.body) throw new Error('no body')
    return response.body.pipeThrough(new TextDecoderStream()).getReader()
  }
  const rest = async (reader: ReadableStreamDefaultReader<string>) => {
    let text = ''
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
    return text
  }
  const guard = () => createGuard({ issuer: issuer.url, clock: issuer.clock })
  const life = () => ({ clock: issuer.clock, checkEvery: 5 })

  test('end when the token expires, and say so', async () => {
    const shop = guard()
    const server = createServer(
      protect(shop, (request, response) => {
        guardEventStream(shop, response, { claims: claimsOf(request, shop), ...life() })
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
      }),
    )
    const reader = await open(`http://localhost:${await listening(server)}/events`)
    expect(await reader.read()).toMatchObject({ value: 'data: 1\n\n' })
    issuer.state.now += 300_000
    expect(await rest(reader)).toBe('event: end\ndata: {"reason":"token_expired"}\n\n')
  })

  test('that were ended already are left alone when the token expires', async () => {
    const shop = guard()
    const failures: unknown[] = []
    const state: { end?: () => void } = {}
    const server = createServer(
      protect(shop, (request, response) => {
        guardEventStream(shop, response, { claims: claimsOf(request, shop), ...life() })
        response.on('error', (error) => failures.push(error))
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
        // More than the line takes: the response is ended, and is not over.
        state.end = () => void response.end(Buffer.alloc(30_000_000, 32))
      }),
    )
    const reader = await open(`http://localhost:${await listening(server)}/events`)
    await reader.read()
    state.end?.()
    issuer.state.now += 300_000
    await new Promise((waited) => setTimeout(waited, 50))
    expect(await rest(reader)).not.toContain('token_expired')
    expect(failures).toEqual([])
  })

  test('are watched no longer than their client listens', async () => {
    const revoked = revocations()
    const shop = guard()
    const server = createServer(
      protect(shop, (request, response) => {
        const claims = claimsOf(request, shop)
        guardEventStream(shop, response, { claims, revocations: revoked, ...life() })
        response.writeHead(200).write('data: 1\n\n')
      }),
    )
    const reader = await open(`http://localhost:${await listening(server)}/events`)
    await reader.read()
    expect(revoked.listeners.size).toBe(1)
    await reader.cancel()
    await expect.poll(() => revoked.listeners.size).toBe(0)
  })

  describe('of the Fetch API', () => {
    const source = () => {
      const state: { cancelled: unknown; controller?: ReadableStreamDefaultController<Uint8Array> } = {
        cancelled: undefined,
      }
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          state.controller = controller
          controller.enqueue(new TextEncoder().encode('data: 1\n\n'))
        },
        cancel(reason) {
          state.cancelled = reason
        },
      })
      return { state, stream }
    }
    const claims = () => issuer.claims() as AccessClaims

    test('end when the token is revoked, and stop their source', async () => {
      const revoked = revocations()
      const { state, stream } = source()
      const guarded = guardEvents(guard(), stream, { claims: claims(), revocations: revoked, ...life() })
      const reader = guarded.pipeThrough(new TextDecoderStream()).getReader()
      expect(await reader.read()).toMatchObject({ value: 'data: 1\n\n' })
      revoked.sids.add('session-1')
      for (const listener of revoked.listeners) listener()
      expect(await rest(reader)).toBe('event: end\ndata: {"reason":"token_revoked"}\n\n')
      expect(state.cancelled).toBe('token_revoked')
      expect(revoked.listeners.size).toBe(0)
    })

    test('fail with their source, and are watched no longer', async () => {
      const revoked = revocations()
      const { state, stream } = source()
      const guarded = guardEvents(guard(), stream, { claims: claims(), revocations: revoked, ...life() })
      const reader = guarded.getReader()
      await reader.read()
      state.controller?.error(new Error('the source broke'))
      await expect(reader.read()).rejects.toThrow('the source broke')
      expect(revoked.listeners.size).toBe(0)
    })

    test('end with their source, and stop it when nobody listens', async () => {
      for (const end of ['source', 'listener']) {
        const revoked = revocations()
        const { state, stream } = source()
        const guarded = guardEvents(guard(), stream, { claims: claims(), revocations: revoked, ...life() })
        const reader = guarded.getReader()
        await reader.read()
        if (end === 'source') state.controller?.close()
        else await reader.cancel('gone')
        expect(await reader.read()).toEqual({ done: true, value: undefined })
        if (end === 'listener') expect(state.cancelled).toBe('gone')
        expect(revoked.listeners.size).toBe(0)
      }
    })
  })
})

test('a connection refuses needs that make no sense, and a clock that gives NaN ends it', async () => {
  const guard = createGuard({ issuer: issuer.url, clock: issuer.clock })
  const claims = issuer.claims() as AccessClaims
  expect(() => guardConnection(guard, { claims, end() {}, needs: { scope: '' } })).toThrow(
    expect.objectContaining({ code: 'options_invalid' }),
  )
  const reason = await new Promise((end) =>
    guardConnection(guard, { claims, end, clock: () => Number.NaN, checkEvery: 1 }),
  )
  expect(reason).toBe('token_expired')
})
