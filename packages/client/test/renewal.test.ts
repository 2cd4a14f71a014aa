import { sharedStorage } from '@mapae/client/testing'
import { describe, expect, it } from 'vitest'
import { codeOf, LIFE, PASSWORD, registered, startWorld, statusOf, URL_OF_AUTH } from './start-world.ts'

describe('a client by header delivery', () => {
  it('registers, is served, lists its session and logs out', async () => {
    const { device, time } = await startWorld()
    const client = device().client()
    const email = await registered(client)
    expect(await client.session()).toMatchObject({ bound: true, user: { email } })
    expect(await statusOf(client)).toBe(200)
    expect(await client.sessions.list()).toMatchObject([
      { current: true, last_used_at: Math.floor(time.now() / 3_600_000) * 3600 },
    ])
    await client.logout()
    expect(await client.session()).toBeUndefined()
    expect(await statusOf(client)).toBe(401)
  })

  it('logs in after a refused try, and says what was wrong', async () => {
    const { device } = await startWorld()
    const client = device().client()
    const email = await registered(client)
    await client.logout()
    expect(await codeOf(client.login({ email, password: 'not the password' }))).toBe('invalid_credentials')
    expect(await client.login({ email, password: PASSWORD })).toMatchObject({ type: 'logged_in' })
  })

  for (const dangerouslyUnbound of [true, false]) {
    /** The nonce of a proof is out of date by then, and the server asks for a new one. */
    const oneRenewal = dangerouslyUnbound ? 1 : 2
    describe(dangerouslyUnbound ? 'unbound' : 'bound to a key', () => {
      it('renews before it sends, once for all calls that wait', async () => {
        const { device, time } = await startWorld()
        const { client: open, sent } = device()
        const client = open({ dangerouslyUnbound })
        await registered(client)
        time.advance(LIFE * 1000)
        const calls = Array.from({ length: 20 }, () => statusOf(client))
        expect(await Promise.all(calls)).toEqual(Array(20).fill(200))
        expect(sent('/auth/refresh')).toBe(oneRenewal)
        expect(sent('/auth/me')).toBe(20)
      })

      it('renews once after a 401 when its clock did not tell', async () => {
        const { device } = await startWorld()
        const { client: open, sent, clock } = device()
        const client = open({ dangerouslyUnbound })
        await registered(client)
        clock.suspend(LIFE * 1000)
        clock.set(-LIFE * 1000)
        expect(await statusOf(client)).toBe(200)
        expect(sent('/auth/refresh')).toBe(1)
        expect(sent('/auth/me')).toBe(2)
      })

      it('is served through a machine’s sleep, in which the monotonic clock stands still', async () => {
        const { device } = await startWorld()
        const { client: open, sent, clock } = device()
        const client = open({ dangerouslyUnbound })
        await registered(client)
        clock.suspend(3_600_000)
        expect(await statusOf(client)).toBe(200)
        expect(sent('/auth/me')).toBe(1)
      })

      it.each([600_000, -600_000])('is served with a clock that is wrong by %i ms', async (wrongBy) => {
        const { device, time } = await startWorld()
        const { client: open, sent } = device({ wrongBy })
        const client = open({ dangerouslyUnbound })
        await registered(client)
        for (let round = 0; round < 3; round++) {
          expect(await statusOf(client)).toBe(200)
          time.advance(LIFE * 1000)
        }
        expect(sent('/auth/me')).toBe(3)
      })

      it('gets the same session again when the answer to its renewal is lost', async () => {
        const { device, time, eventsOf } = await startWorld()
        const { client: open, network } = device()
        const client = open({ dangerouslyUnbound })
        await registered(client)
        time.advance(LIFE * 1000)
        network.faults = { dropAnswer: 1 }
        expect(await codeOf(time.run(statusOf(client)))).toBe('server_away')
        network.faults = {}
        time.advance(3_600_000)
        expect(await statusOf(client)).toBe(200)
        time.advance(LIFE * 1000)
        expect(await statusOf(client)).toBe(200)
        expect(eventsOf('session.reuse_detected', 'session.fetched_without_attempt')).toEqual([])
      })

      it('hears that its session was ended elsewhere, and why', async () => {
        const { device, time, auth } = await startWorld()
        const client = device().client({ dangerouslyUnbound })
        await registered(client)
        const session = await client.session()
        const changes: unknown[] = []
        client.onChange((change) => changes.push(change))
        await auth.api.disableUser(session?.user.id ?? '')
        time.advance(LIFE * 1000)
        await expect(statusOf(client)).rejects.toMatchObject({
          code: 'session_ended',
          endReason: 'account_disabled',
        })
        expect(changes).toEqual([{ type: 'logged_out', reason: 'account_disabled' }])
        expect(await client.session()).toBeUndefined()
      })
    })
  }

  it('goes on with the attempt id that was kept before a crash', async () => {
    const { device, time, eventsOf } = await startWorld()
    const { client: open, network } = device()
    const storage = sharedStorage()
    const first = open({ store: storage.tab(), dangerouslyUnbound: true })
    await registered(first)
    time.advance(LIFE * 1000)
    network.faults = { dropAnswer: 1 }
    const crashed = codeOf(statusOf(first))
    await time.run(time.sleep(10))
    network.cut()
    first.close()
    expect(JSON.parse((await storage.peek()) ?? '')).toMatchObject({ n: 0, attempt: expect.any(String) })

    network.faults = {}
    time.advance(86_400_000)
    const second = open({ store: storage.tab(), dangerouslyUnbound: true })
    expect(await statusOf(second)).toBe(200)
    const kept = JSON.parse((await storage.peek()) ?? '')
    expect(kept.n).toBe(1)
    expect(kept).not.toHaveProperty('attempt')
    expect(eventsOf('session.reuse_detected', 'session.fetched_without_attempt')).toEqual([])
    await time.run(crashed)
  })

  it('makes another proof when something on the way sent a request twice', async () => {
    const { device, time } = await startWorld()
    const { client: open, network } = device()
    const client = open()
    await registered(client)
    for (const path of ['/auth/me', '/auth/refresh']) {
      const again = network.fetch
      let left = 1
      network.fetch = (input, init) => {
        network.faults = { duplicate: input.endsWith(path) && left-- > 0 ? 1 : 0 }
        return again(input, init)
      }
      expect(await statusOf(client)).toBe(200)
      network.fetch = again
      network.faults = {}
      time.advance(LIFE * 1000)
    }
  })

  it('passes other refusals through', async () => {
    const { device } = await startWorld()
    const { client: open, sent } = device()
    const client = open()
    await registered(client)
    expect(await statusOf(client, '/nothing')).toBe(404)
    const response = await client.fetch(`${URL_OF_AUTH}/auth/password`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ current_password: 'wrong', new_password: 'another good one' }),
    })
    expect(response.status).toBe(403)
    expect(sent('/auth/refresh')).toBe(0)
  })

  it('keeps the session that a change of password opens', async () => {
    const { device, time } = await startWorld()
    const client = device().client()
    await registered(client)
    const before = await client.session()
    await client.changePassword({ current: PASSWORD, next: 'another good password' })
    const after = await client.session()
    expect(after?.id).not.toBe(before?.id)
    expect(after).toMatchObject({ bound: true, user: before?.user })
    time.advance(LIFE * 1000)
    expect(await statusOf(client)).toBe(200)
  })
})
