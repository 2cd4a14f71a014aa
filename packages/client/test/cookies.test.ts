import { cookieJar, sharedStorage } from '@mapae/client/testing'
import { describe, expect, it } from 'vitest'
import { codeOf, LIFE, PASSWORD, registered, startWorld, statusOf, URL_OF_AUTH } from './start-world.ts'

const APP = 'https://app.example.com'

describe('a page of the auth server’s own origin, by cookie delivery', () => {
  it('holds no token, is renewed and logs out', async () => {
    const { device, time, jar: openJar } = await startWorld()
    const jar = openJar()
    const { client: open, sent } = device({ server: jar.fetch })
    const storage = sharedStorage()
    const client = open({ pageOrigin: URL_OF_AUTH, store: storage.tab() })
    const email = await registered(client)
    expect(await client.session()).toMatchObject({ user: { email }, bound: false })
    expect(await storage.peek()).not.toMatch(/mrt_|eyJ[\w-]+\./)
    for (let expiry = 0; expiry < 3; expiry++) {
      time.advance(LIFE * 1000)
      const calls = Array.from({ length: 10 }, () => statusOf(client))
      expect(new Set(await Promise.all(calls))).toEqual(new Set([200]))
    }
    expect(sent('/auth/refresh')).toBe(3)
    expect(sent('/auth/me')).toBe(30)
    await client.logout()
    expect([...jar.cookies.keys()].filter((name) => /access|refresh/.test(name))).toEqual([])
    expect(await client.session()).toBeUndefined()
    expect(await statusOf(client)).toBe(401)
  })

  it.each([
    ['kept by the browser', true],
    ['lost with the answer', false],
  ])('goes on after a lost answer whose cookies were %s', async (_, areKept) => {
    const { auth, device, time, eventsOf } = await startWorld()
    let isLost = false
    const losing = async (answer: Promise<Response>): Promise<Response> => {
      const response = await answer
      if (isLost) throw new TypeError('Failed to fetch')
      return response
    }
    const inner = cookieJar((request) => (areKept ? auth.fetch(request) : losing(auth.fetch(request))), {
      pageOrigin: URL_OF_AUTH,
    })
    const { client: open } = device({ server: (request) => losing(inner.fetch(request)) })
    const client = open({ pageOrigin: URL_OF_AUTH, store: sharedStorage().tab() })
    await registered(client)
    for (let expiry = 0; expiry < 4; expiry++) {
      time.advance(LIFE * 1000)
      isLost = true
      expect(await codeOf(time.run(statusOf(client)))).toBe('server_away')
      isLost = false
      time.advance(120_000)
      expect(await statusOf(client)).toBe(200)
    }
    expect(eventsOf('session.reuse_detected', 'session.fetched_without_attempt')).toEqual([])
  })

  it('finds a session that a page of the server began', async () => {
    const { auth, device, jar: openJar } = await startWorld()
    const jar = openJar()
    const { client: open } = device({ server: jar.fetch })
    const visitor = open({ pageOrigin: URL_OF_AUTH, store: sharedStorage().tab() })
    expect(await visitor.session()).toBeUndefined()

    const email = await registered(open({ pageOrigin: URL_OF_AUTH, store: sharedStorage().tab() }))
    const client = open({ pageOrigin: URL_OF_AUTH, store: sharedStorage().tab() })
    expect(await statusOf(client)).toBe(200)
    expect(await client.session()).toMatchObject({ user: { email } })
    expect(auth).toBeDefined()
  })

  it('tells whose the cookies are when a page that it does not hear of has logged somebody else in', async () => {
    const { device, jar: openJar } = await startWorld()
    const jar = openJar()
    const { client: open } = device({ server: jar.fetch })
    const client = open({ pageOrigin: URL_OF_AUTH, store: sharedStorage().tab() })
    await registered(client)
    const before = await client.session()
    const changes: unknown[] = []
    client.onChange((change) => changes.push(change))
    const email = await registered(open({ pageOrigin: URL_OF_AUTH, store: sharedStorage().tab() }))
    const session = await client.session({ fresh: true })
    expect(session).toMatchObject({ user: { email } })
    expect(session?.id).not.toBe(before?.id)
    expect(await client.session()).toEqual(session)
    expect(changes).toContainEqual({ type: 'logged_in' })
  })

  it.each([URL_OF_AUTH, APP])(
    'keeps the session that a change of password opens, from a page of %s',
    async (page) => {
      const { device, time, jar: openJar } = await startWorld({ allowedOrigins: [APP] })
      const { client: open } = device({ server: openJar(page).fetch })
      const client = open({ pageOrigin: page, store: sharedStorage().tab() })
      await registered(client)
      const before = await client.session()
      time.advance(LIFE * 1000)
      await client.changePassword({ current: PASSWORD, next: 'another good password' })
      expect((await client.session())?.id).not.toBe(before?.id)
      time.advance(LIFE * 1000)
      expect(await statusOf(client)).toBe(200)
      expect(await client.session()).toMatchObject({ user: before?.user })
    },
  )

  it('calls APIs of other origins with a borrowed access token', async () => {
    const { auth, device, time, jar: openJar } = await startWorld()
    const jar = openJar()
    const api = 'https://api.example.com'
    const tokens: (string | null)[] = []
    const { client: open, sent } = device({
      server: async (request) => {
        if (new URL(request.url).origin !== api) return jar.fetch(request)
        tokens.push(request.headers.get('authorization'))
        const headers = { authorization: request.headers.get('authorization') ?? '' }
        return auth.fetch(new Request(`${URL_OF_AUTH}/auth/me`, { headers }))
      },
    })
    const client = open({ pageOrigin: URL_OF_AUTH, store: sharedStorage().tab(), apis: [api] })
    await registered(client)
    for (let expiry = 0; expiry < 3; expiry++) {
      for (let call = 0; call < 3; call++) expect((await client.fetch(`${api}/orders`)).status).toBe(200)
      time.advance(LIFE * 1000)
    }
    expect(new Set(tokens).size).toBe(3)
    expect(sent('/auth/token')).toBe(3)
    await client.logout()
    await client.fetch(`${api}/orders`)
    expect(tokens.at(-1)).toBeNull()
  })
})

describe('a page of an allowed origin of the same site, by cookie delivery', () => {
  it('logs in, borrows access tokens, finds its session again, and logs out', async () => {
    const { device, time, jar: openJar } = await startWorld({ allowedOrigins: [APP] })
    const jar = openJar(APP)
    const { client: open, sent } = device({ server: jar.fetch })
    const client = open({ pageOrigin: APP })
    const email = await registered(client)
    for (let expiry = 0; expiry < 3; expiry++) {
      expect(await statusOf(client)).toBe(200)
      time.advance(LIFE * 1000)
    }
    expect(sent('/auth/refresh')).toBe(0)
    expect(sent('/auth/token')).toBe(3)
    const next = open({ pageOrigin: APP })
    expect(await next.session()).toMatchObject({ id: (await client.session())?.id, user: { email } })
    await next.logout()
    expect([...jar.cookies.keys()].filter((name) => /access|refresh/.test(name))).toEqual([])
    await expect(statusOf(client)).rejects.toMatchObject({ code: 'session_ended' })
    expect(await statusOf(client)).toBe(401)
  })

  it('is told when the browser keeps no cookies', async () => {
    const { auth, device } = await startWorld({ allowedOrigins: [APP] })
    const { client: open } = device({
      server: (request) => cookieJar(auth.fetch, { pageOrigin: APP }).fetch(request),
    })
    const client = open({ pageOrigin: APP })
    expect(await codeOf(client.register({ email: 'nobody@example.com', password: PASSWORD }))).toBe(
      'cookies_blocked',
    )
  })
})
