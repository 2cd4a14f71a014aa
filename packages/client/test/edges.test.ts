import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { createClient } from '@mapae/client'
import { localStorageStore } from '@mapae/client/stores/local-storage'
import { createGuard } from '@mapae/guard'
import { protect } from '@mapae/guard/fetch'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { atTheEnd } from '../../server/test/start-auth.ts'
import { codeOf, LIFE, registered, startWorld, statusOf, URL_OF_AUTH } from './start-world.ts'

const API = 'https://api.example.com'

/** A client with a session that is bound to its key, and an API behind a guard. */
async function startGuardedApi() {
  const world = await startWorld()
  const guard = createGuard({
    issuer: URL_OF_AUTH,
    url: API,
    clock: world.time.now,
    fetch: (input, init) => world.auth.fetch(new Request(input, init)),
  })
  const serve = protect(guard, () => new Response('served'))
  const way = { millisecondsToAuth: 0 }
  const { client: open, ...device } = world.device({
    server: (request) => {
      if (request.url.startsWith(API)) return serve(request)
      world.time.advance(way.millisecondsToAuth)
      return world.auth.fetch(request)
    },
  })
  const client = open({ apis: [API] })
  await registered(client)
  return { ...world, ...device, client, way }
}

afterEach(() => vi.unstubAllGlobals())

describe('a bound session', () => {
  it.each([10, 100, 100_000, -10, -100, -100_000])(
    'is served by an API when somebody sets the clock by %i seconds',
    async (seconds) => {
      const { client, clock } = await startGuardedApi()
      expect((await client.fetch(API, { method: 'POST', body: '1' })).status).toBe(200)
      clock.set(seconds * 1000)
      expect((await client.fetch(API, { method: 'POST', body: '2' })).status).toBe(200)
    },
  )

  it('is served after its machine slept for less than the life of its token', async () => {
    const { client, clock, sent } = await startGuardedApi()
    expect((await client.fetch(API)).status).toBe(200)
    clock.suspend((LIFE / 2) * 1000)
    expect((await client.fetch(API)).status).toBe(200)
    expect((await client.fetch(API)).status).toBe(200)
    expect(sent('/auth/refresh')).toBe(1)
  })

  it('is served where the request that asked for the time was long on its way', async () => {
    const { client, time, way } = await startGuardedApi()
    time.advance(LIFE * 1000)
    way.millisecondsToAuth = 4500
    expect((await client.fetch(API)).status).toBe(200)
  })
})

describe('a redirect within an API, of a session that is bound', () => {
  /** Sends `/old` on, and serves the rest behind a guard. */
  async function startMovedApi() {
    const world = await startWorld()
    const seen: string[] = []
    let status = 307
    let serve: (request: Request) => Promise<Response> = async () => new Response()
    const api = await listening(createServer(getRequestListener((request) => serve(request))))
    const guard = createGuard({
      issuer: URL_OF_AUTH,
      url: api,
      clock: world.time.now,
      fetch: (input, init) => world.auth.fetch(new Request(input, init)),
    })
    const guarded = protect(guard, (request) => {
      seen.push(`${request.method} ${new URL(request.url).pathname}`)
      return new Response('served')
    })
    serve = async (request) => {
      const { pathname, search } = new URL(request.url)
      return pathname === '/old'
        ? new Response(null, { status, headers: { location: `/new${search}` } })
        : guarded(request)
    }
    const { network, clock } = world.device()
    const client = createClient({
      url: URL_OF_AUTH,
      clock,
      apis: [api],
      fetch: (input, init) => (input.startsWith(api) ? fetch(input, init) : network.fetch(input, init)),
    })
    atTheEnd(async () => client.close())
    await registered(client)
    return { api, client, seen, answerWith: (code: number) => (status = code) }
  }

  it.each([301, 302, 303, 307, 308])('is followed with a proof for where it leads (%i)', async (code) => {
    const { api, client, seen, answerWith } = await startMovedApi()
    answerWith(code)
    expect(await (await client.fetch(`${api}/old?page=2`)).text()).toBe('served')
    expect((await client.fetch(`${api}/old`, { method: 'HEAD' })).status).toBe(200)
    expect(seen).toEqual(['GET /new', 'HEAD /new'])
  })

  it.each([303, 308])(
    'of what changes something is an error that says where to send it (%i)',
    async (code) => {
      const { api, client, seen, answerWith } = await startMovedApi()
      answerWith(code)
      const call = client.fetch(`${api}/old?secret=1`, { method: 'POST', body: '{}' })
      await expect(call).rejects.toMatchObject({
        code: 'redirected',
        message: 'POST /old was redirected to /new, where its proof is no good: send it there.',
      })
      expect(seen).toEqual([])
      expect((await client.fetch(`${api}/new`, { method: 'POST', body: '{}' })).status).toBe(200)
    },
  )
})

describe('a caller', () => {
  it('who gives up while a renewal hangs hears so at once', async () => {
    const world = await startWorld()
    let hangs = false
    const { client: open } = world.device({
      server: (request) =>
        hangs && request.url.endsWith('/auth/refresh') ? new Promise(() => {}) : world.auth.fetch(request),
    })
    const client = open()
    await registered(client)
    hangs = true
    world.time.advance(LIFE * 1000)
    const stop = new AbortController()
    const call = client.fetch(`${URL_OF_AUTH}/auth/me`, { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('enough')), 10)
    await expect(call).rejects.toThrow('enough')
  })

  it('whose listener throws keeps its session and its key, and the error is the app’s', async () => {
    const others = process.rawListeners('uncaughtException').slice()
    const thrown: unknown[] = []
    process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => thrown.push(error))
    try {
      const { device } = await startWorld()
      const client = device().client()
      client.onChange(() => {
        throw new Error('of the app')
      })
      const heard: string[] = []
      client.onChange(({ type }) => heard.push(type))
      await registered(client)
      expect(await statusOf(client)).toBe(200)
      expect(heard).toEqual(['logged_in'])
      expect(thrown).toEqual([new Error('of the app')])
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const other of others)
        process.on('uncaughtException', (...all) => Reflect.apply(other, process, all))
    }
  })

  it('gets an access token in hand for the origin whose cookies hold it', async () => {
    const world = await startWorld()
    const client = world.device({ server: world.jar().fetch }).client({ pageOrigin: URL_OF_AUTH })
    await registered(client)
    const access = await client.accessToken()
    const headers = { authorization: `Bearer ${access}` }
    expect((await world.auth.fetch(new Request(`${URL_OF_AUTH}/auth/me`, { headers }))).status).toBe(200)
    await client.logout()
    expect(await client.accessToken()).toBeUndefined()
  })
})

describe('the access token', () => {
  it.each([
    'https://api.example.com@evil.example',
    '//evil.example',
    '\\\\evil.example',
    'https://api.example.com.evil.example',
    'https://api.example.com:444',
    'https://evil.example#@api.example.com',
    'https:\\\\evil.example\\@api.example.com',
  ])('does not go to %s', async (url) => {
    const { client: open, network } = (await startWorld()).device()
    const client = open({ apis: [API] })
    await registered(client)
    const before = network.requests.length
    expect(await codeOf(client.fetch(url))).toBe('target_not_allowed')
    expect(network.requests).toHaveLength(before)
  })

  it('does not follow a redirect to another origin', async () => {
    const got: (string | undefined)[] = []
    const evil = await listening(
      createServer(({ headers }, response) => {
        got.push(headers.authorization)
        response.end()
      }),
    )
    const api = await listening(
      createServer((_, response) => response.writeHead(307, { location: evil }).end()),
    )
    const { network, clock } = (await startWorld()).device()
    const client = createClient({
      url: URL_OF_AUTH,
      clock,
      apis: [api],
      fetch: (input, init) => (input.startsWith(api) ? fetch(input, init) : network.fetch(input, init)),
    })
    await registered(client)
    expect((await client.fetch(api)).status).toBe(200)
    expect(got).toEqual([undefined])
  })

  it('does not go to the page’s own origin over plain http', () => {
    const options = { url: URL_OF_AUTH, delivery: 'header', pageOrigin: 'http://app.example.com' } as const
    expect(() => createClient(options)).toThrow('pageOrigin must be https')
    createClient({ ...options, dangerouslyAllowHttp: true }).close()
  })
})

describe('a browser that blocks localStorage', () => {
  it('fails what needs it, and not the app that begins', async () => {
    vi.stubGlobal('localStorage', undefined)
    Object.defineProperty(globalThis, 'localStorage', {
      configurable: true,
      get: () => {
        throw new Error('SecurityError')
      },
    })
    const client = createClient({ url: URL_OF_AUTH, store: localStorageStore() })
    expect(await codeOf(client.session())).toBe('store_failed')
  })
})

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  atTheEnd(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://localhost:${(server.address() as AddressInfo).port}`
}
