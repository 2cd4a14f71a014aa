import { createClient } from '@mapae/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { atTheEnd } from '../../server/test/start-auth.ts'
import { codeOf, LIFE, registered, startWorld, statusOf, URL_OF_AUTH } from './start-world.ts'

/** The page, as far as the client listens to it. */
let page: EventTarget
beforeEach(() => {
  page = new EventTarget()
  vi.stubGlobal('document', page)
})
afterEach(() => vi.unstubAllGlobals())

/** A client whose server asks for so many seconds when it is told to. `timersStop`: as in a machine that sleeps. */
async function startBusyServer() {
  const world = await startWorld()
  const busy = { for: 0, timersStop: false, asked: 0 }
  const { clock, network } = world.device({
    server: async (request) => {
      if (busy.for === 0 || !/refresh|logout/.test(request.url)) return world.auth.fetch(request)
      busy.asked++
      return new Response(null, { status: 503, headers: { 'retry-after': String(busy.for) } })
    },
  })
  const sleep = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
    busy.timersStop
      ? new Promise((resolve) => signal?.addEventListener('abort', () => resolve()))
      : clock.sleep(milliseconds, signal)
  const client = createClient({ url: URL_OF_AUTH, clock: { ...clock, sleep }, fetch: network.fetch })
  atTheEnd(async () => client.close())
  await registered(client)
  world.time.advance(LIFE * 1000)
  return { ...world, busy, client }
}

/** Lets everything run that is ready, and its requests. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100))

describe('a server that asks to wait', () => {
  it('is left alone until then, though somebody comes back to the page', async () => {
    const { busy, client, time } = await startBusyServer()
    busy.for = 8
    const call = statusOf(client)
    await expect.poll(() => busy.asked).toBe(1)
    for (let second = 0; second < 7; second++) {
      time.advance(1000)
      page.dispatchEvent(new Event('visibilitychange'))
      await settled()
      expect(busy.asked).toBe(1)
    }
    busy.for = 0
    time.advance(1000)
    expect(await time.run(call)).toBe(200)
  })

  it('is asked at once by who comes back later, whatever timers did meanwhile', async () => {
    const { busy, client, time } = await startBusyServer()
    Object.assign(busy, { for: 8, timersStop: true })
    const call = statusOf(client)
    await expect.poll(() => busy.asked).toBe(1)
    await settled()
    busy.for = 0
    time.advance(8000)
    page.dispatchEvent(new Event('visibilitychange'))
    expect(await call).toBe(200)
  })

  it('for longer than a call may take is not asked by the calls that come meanwhile', async () => {
    const { busy, client, time } = await startBusyServer()
    busy.for = 60
    for (let second = 0; second < 60; second += 10) {
      await expect(statusOf(client)).rejects.toMatchObject({ code: 'server_away', retryAfter: 60 })
      time.advance(10_000)
    }
    expect(busy.asked).toBe(1)
    busy.for = 0
    expect(await statusOf(client)).toBe(200)
  })

  it('for days is asked every five minutes, since that may be a mistake', async () => {
    const { busy, client, time } = await startBusyServer()
    busy.for = 999_999
    for (let minute = 0; minute < 11; minute++) {
      expect(await codeOf(statusOf(client))).toBe('server_away')
      time.advance(60_000)
    }
    expect(busy.asked).toBe(3)
  })

  it('is waited for by a logout too', async () => {
    const { busy, client, time } = await startBusyServer()
    busy.for = 3
    const logout = client.logout()
    await expect.poll(() => busy.asked).toBe(1)
    time.advance(2900)
    page.dispatchEvent(new Event('visibilitychange'))
    await settled()
    expect(busy.asked).toBe(1)
    busy.for = 0
    await time.run(logout)
  })
})

describe('a network that failed', () => {
  it('is tried again at once when somebody comes back to the page', async () => {
    const { auth, time, device } = await startWorld()
    let isDown = false
    let asked = 0
    const { clock, network } = device({
      server: async (request) => {
        asked++
        if (isDown) throw new TypeError('Failed to fetch')
        return auth.fetch(request)
      },
    })
    const sleep = (_: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve) => signal?.addEventListener('abort', () => resolve()))
    const client = createClient({ url: URL_OF_AUTH, clock: { ...clock, sleep }, fetch: network.fetch })
    atTheEnd(async () => client.close())
    await registered(client)
    isDown = true
    time.advance(LIFE * 1000)
    const before = asked
    const call = statusOf(client)
    await expect.poll(() => asked).toBe(before + 1)
    await settled()
    isDown = false
    page.dispatchEvent(new Event('visibilitychange'))
    expect(await call).toBe(200)
  })
})
