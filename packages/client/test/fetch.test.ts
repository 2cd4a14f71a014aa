import { createClient, MapaeError } from '@mapae/client'
import { secureStore } from '@mapae/client/stores/secure-store'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { codeOf, LIFE, PASSWORD, registered, startWorld, statusOf, URL_OF_AUTH } from './start-world.ts'

const API = 'https://api.example.com'

/** A world with an API that says what it was sent, and refuses tokens that have expired. */
async function startApi() {
  const world = await startWorld()
  const got: { readonly method: string; readonly body: string }[] = []
  let answer: ((request: Request) => Response | undefined) | undefined
  const device = world.device({
    server: async (request) => {
      if (new URL(request.url).origin !== API) return world.auth.fetch(request)
      const own = answer?.(request)
      if (own) return own
      const headers = { authorization: request.headers.get('authorization') ?? '' }
      const check = await world.auth.fetch(new Request(`${URL_OF_AUTH}/auth/me`, { headers }))
      if (check.status !== 200) return check
      got.push({ method: request.method, body: await request.text() })
      return Response.json({ got: got.length })
    },
  })
  const client = device.client({ dangerouslyUnbound: true, apis: [API] })
  await registered(client)
  return {
    ...world,
    ...device,
    client,
    got,
    /** What the API answers instead. */
    answers: (with_: typeof answer) => {
      answer = with_
    },
    /** The token expires, and the client's clocks do not tell. */
    expire: () => {
      device.clock.suspend(LIFE * 1000)
      device.clock.set(-LIFE * 1000)
    },
  }
}

afterEach(() => vi.unstubAllGlobals())

describe('client.fetch', () => {
  it('sends a body again after a renewal, also one that can be read only once', async () => {
    const { client, got, expire } = await startApi()
    const bodies: readonly BodyInit[] = ['text', new Blob(['blob']), new URLSearchParams({ a: 'b' })]
    const sends = [
      ...bodies.map((body) => () => client.fetch(`${API}/orders`, { method: 'POST', body })),
      () => client.fetch(`${API}/orders`, { method: 'POST', body: new Blob(['stream']).stream() }),
      () => client.fetch(new Request(`${API}/orders`, { method: 'PUT', body: 'request' })),
    ]
    for (const send of sends) {
      expire()
      expect((await send()).status).toBe(200)
    }
    expect(got).toEqual([
      { method: 'POST', body: 'text' },
      { method: 'POST', body: 'blob' },
      { method: 'POST', body: 'a=b' },
      { method: 'POST', body: 'stream' },
      { method: 'PUT', body: 'request' },
    ])
  })

  it('refuses a stream that is too long to send again, before anything is sent', async () => {
    const { client, network } = await startApi()
    const before = network.requests.length
    const body = new Blob(['x'.repeat(2_000_000)]).stream()
    expect(await codeOf(client.fetch(`${API}/orders`, { method: 'POST', body }))).toBe('body_not_replayable')
    expect(network.requests).toHaveLength(before)
  })

  it('sends the body of a Request also where the runtime does not show it', async () => {
    /** As in React Native and in browsers without `Request.body`. */
    const bareRequest = (init: RequestInit): Request =>
      Object.defineProperty(new Request(`${API}/orders`, init), 'body', { value: undefined })
    const { client, got, expire } = await startApi()
    expire()
    expect((await client.fetch(bareRequest({ method: 'POST', body: '마패' }))).status).toBe(200)
    expect((await client.fetch(bareRequest({}))).status).toBe(200)
    expect(got).toEqual([
      { method: 'POST', body: '마패' },
      { method: 'GET', body: '' },
    ])
    const tooLong = bareRequest({ method: 'POST', body: 'x'.repeat(2_000_000) })
    expect(await codeOf(client.fetch(tooLong))).toBe('body_not_replayable')
  })

  it('gives the access token to nobody but those whom the app named', async () => {
    const { client, network } = await startApi()
    const before = network.requests.length
    for (const url of ['https://evil.example', 'http://api.example.com/orders'])
      expect(await codeOf(client.fetch(url))).toBe('target_not_allowed')
    expect(await codeOf(client.accessToken('https://evil.example'))).toBe('target_not_allowed')
    expect(network.requests).toHaveLength(before)
  })

  it('renews once when the challenge of a 401 cannot be read, and passes a second one through', async () => {
    const { client, sent, answers } = await startApi()
    answers(() => new Response(null, { status: 401 }))
    expect((await client.fetch(`${API}/orders`)).status).toBe(401)
    expect(sent('/auth/refresh')).toBe(1)
    expect(sent('/orders')).toBe(2)
  })

  it.each([
    [401, 'Bearer error="insufficient_user_authentication"'],
    [401, 'Basic realm="another login"'],
    [403, 'Bearer error="insufficient_scope"'],
  ])('passes %i with %s through', async (status, challenge) => {
    const { client, sent, answers } = await startApi()
    answers(() => new Response(null, { status, headers: { 'www-authenticate': challenge } }))
    expect((await client.fetch(`${API}/orders`)).status).toBe(status)
    expect(sent('/auth/refresh')).toBe(0)
  })

  it('does not send twice what may not be done twice', async () => {
    const { client, network, sent, time } = await startApi()
    network.faults = { dropAnswer: 1 }
    expect(await codeOf(time.run(client.fetch(`${API}/orders`, { method: 'POST', body: '1' })))).toBe(
      'server_away',
    )
    expect(sent('/orders')).toBe(1)
  })

  it('says at once that the device is offline, and goes on when it is not', async () => {
    const { client, network, time } = await startApi()
    time.advance(LIFE * 1000)
    vi.stubGlobal('navigator', { onLine: false })
    network.isDown = true
    await expect(client.fetch(`${API}/orders`)).rejects.toMatchObject({ code: 'offline' })
    vi.unstubAllGlobals()
    network.isDown = false
    expect((await client.fetch(`${API}/orders`)).status).toBe(200)
  })

  it('warns of nothing when one signal goes with many calls', async () => {
    const { client, network, time } = await startApi()
    const warnings: Error[] = []
    const hear = (warning: Error): void => void warnings.push(warning)
    process.on('warning', hear)
    const { signal } = new AbortController()
    network.faults = { delay: 100 }
    const calls = Array.from({ length: 20 }, () => client.fetch(`${API}/orders`, { signal }))
    await time.run(Promise.all(calls))
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', hear)
    expect(warnings).toEqual([])
  })

  it('stops when its caller does', async () => {
    const { client, network, time } = await startApi()
    network.isDown = true
    const stop = new AbortController()
    const call = client.fetch(`${API}/orders`, { signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(time.run(call)).rejects.toThrow('enough')
  })
})

describe('Retry-After', () => {
  it('is waited for, and nobody asks before', async () => {
    const world = await startWorld()
    let isBusy = false
    const { client: open, sent } = world.device({
      server: async (request) =>
        isBusy && request.url.endsWith('/auth/refresh')
          ? Response.json({ code: 'busy' }, { status: 503, headers: { 'retry-after': '60' } })
          : world.auth.fetch(request),
    })
    const client = open({ dangerouslyUnbound: true })
    await registered(client)
    world.time.advance(LIFE * 1000)
    isBusy = true
    for (let call = 0; call < 3; call++)
      await expect(statusOf(client)).rejects.toMatchObject({ code: 'busy', status: 503, retryAfter: 60 })
    expect(sent('/auth/refresh')).toBe(1)
    isBusy = false
    world.time.advance(60_000)
    expect(await statusOf(client)).toBe(200)
  })

  it('of too many tries reaches the person', async () => {
    const { device, time } = await startWorld()
    const client = device().client()
    const email = await registered(client)
    const codes: string[] = []
    while (codes.at(-1) !== 'too_many_tries' && codes.length < 50)
      codes.push(await codeOf(client.login({ email, password: 'not the password' })))
    expect(codes.slice(0, -1)).toEqual(Array(codes.length - 1).fill('invalid_credentials'))
    const refused = client.login({ email, password: PASSWORD })
    await expect(refused).rejects.toMatchObject({ status: 429, retryAfter: expect.any(Number) })
    const error = await refused.catch((error: unknown) => error)
    time.advance(error instanceof MapaeError ? (error.retryAfter ?? 0) * 1000 : 0)
    expect(await client.login({ email, password: PASSWORD })).toMatchObject({ type: 'logged_in' })
  })
})

describe('a device that logged in before', () => {
  it('is not held up by strangers who guess passwords', async () => {
    const { device } = await startWorld()
    const client = device().client()
    const email = await registered(client)
    await client.logout()
    const stranger = device().client()
    let code = ''
    while (code !== 'too_many_tries') code = await codeOf(stranger.login({ email, password: 'a guess' }))
    expect(await codeOf(stranger.login({ email, password: PASSWORD }))).toBe('too_many_tries')
    expect(await client.login({ email, password: PASSWORD })).toMatchObject({ type: 'logged_in' })
  })
})

describe('createClient', () => {
  it.each([
    [{ url: 'not an address' }, 'url'],
    [{ url: 'http://auth.example.com' }, 'url'],
    [{ url: 'https://auth.example.com/path' }, 'url'],
    [{ url: 'https://auth.example.com', apis: ['http://api.example.com'] }, 'apis'],
    [{ url: 'https://auth.example.com', delivery: 'cookie' }, 'delivery'],
  ] as const)('refuses %j', (options, name) => {
    const error = thrownBy(() => createClient(options))
    expect(error).toMatchObject({ code: 'options_invalid', message: expect.stringContaining(` ${name} `) })
  })

  it('takes no location for that of a page in React Native, where Expo sets one', () => {
    vi.stubGlobal('navigator', { product: 'ReactNative' })
    vi.stubGlobal('location', { origin: 'http://192.168.0.2:8081' })
    createClient({ url: 'https://auth.example.com' }).close()
  })

  it('is given no store for a phone whose app has set up no random numbers', () => {
    vi.stubGlobal('crypto', undefined)
    const nothing = async (): Promise<null> => null
    const module = {
      AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: 1,
      getItemAsync: nothing,
      setItemAsync: async () => {},
      deleteItemAsync: async () => {},
    }
    expect(thrownBy(() => secureStore(module))).toMatchObject({
      code: 'options_invalid',
      message: expect.stringContaining('crypto.getRandomValues'),
    })
  })

  it('takes http from localhost, and from elsewhere when told to', () => {
    createClient({ url: 'http://localhost:4000' }).close()
    createClient({ url: 'http://intranet:4000', dangerouslyAllowHttp: true }).close()
  })
})

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    if (error instanceof MapaeError) return error
    throw error
  }
  return undefined
}
