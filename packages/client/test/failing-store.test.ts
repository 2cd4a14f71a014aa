import { type Change, memoryStore, type Store } from '@mapae/client'
import { describe, expect, it } from 'vitest'
import { memoryKeys } from '../src/stores/memory-keys.ts'
import { codeOf, LIFE, PASSWORD, registered, startWorld, statusOf } from './start-world.ts'

const told = { type: 'store_failed' }

/** A store that can be broken, and what is in it. `keepsKeys`: sessions are bound. */
function breakableStore({ keepsKeys }: { readonly keepsKeys: boolean }) {
  const memory = memoryStore()
  const keys = memoryKeys()
  const state = { isBroken: false }
  const unlessBroken = async <T>(work: () => Promise<T>): Promise<T> => {
    if (state.isBroken) throw new Error('out of order')
    return work()
  }
  const store: Store = {
    read: () => unlessBroken(memory.read),
    update: (change) => unlessBroken(() => memory.update(change)),
    keys: keepsKeys
      ? {
          read: (thumbprint) => unlessBroken(() => keys.read(thumbprint)),
          write: (thumbprint, pair) => unlessBroken(() => keys.write(thumbprint, pair)),
          remove: (thumbprint) => unlessBroken(() => keys.remove(thumbprint)),
        }
      : undefined,
  }
  return { store, state, peek: memory.read }
}

async function start({ keepsKeys }: { readonly keepsKeys: boolean }) {
  const world = await startWorld()
  const device = world.device()
  const { store, ...its } = breakableStore({ keepsKeys })
  const client = device.client({ store })
  const changes: Change[] = []
  client.onChange((change) => changes.push(change))
  return { ...world, ...device, ...its, store, client, changes }
}

describe.each([
  { name: 'bound to a key', keepsKeys: true },
  { name: 'that rotates', keepsKeys: false },
])('with a store that fails, a session $name', ({ keepsKeys }) => {
  it('begins in memory, says so, is renewed there, and is in the store once that works', async () => {
    const { client, changes, state, time, device, store } = await start({ keepsKeys })
    await client.session()
    state.isBroken = true
    const email = await registered(client)
    for (let expiry = 0; expiry < 3; expiry++) {
      time.advance(LIFE * 1000)
      expect(await statusOf(client)).toBe(200)
    }
    expect(changes.filter(({ type }) => type === 'store_failed')).toEqual([told])
    state.isBroken = false
    time.advance(LIFE * 1000)
    expect(await statusOf(client)).toBe(200)
    const next = device().client({ store })
    expect(await next.session()).toMatchObject({ user: { email }, bound: keepsKeys })
    expect(await statusOf(next)).toBe(200)
  })

  it('is logged out all the same, here and at the server', async () => {
    const { client, state, device, store, eventsOf } = await start({ keepsKeys })
    await registered(client)
    state.isBroken = true
    await client.logout()
    expect(await client.session()).toBeUndefined()
    expect(eventsOf('session.ended')).toHaveLength(1)
    state.isBroken = false
    await expect(statusOf(device().client({ store }))).rejects.toMatchObject({ endReason: 'logout' })
  })

  it('is not taken to be over where the store cannot be read', async () => {
    const { client, state, device, store } = await start({ keepsKeys })
    await registered(client)
    state.isBroken = true
    const next = device().client({ store })
    const changes: Change[] = []
    next.onChange((change) => changes.push(change))
    expect(await codeOf(next.session())).toBe('store_failed')
    expect(await codeOf(statusOf(next))).toBe('store_failed')
    state.isBroken = false
    expect(await statusOf(next)).toBe(200)
    expect(changes).toEqual([])
  })
})

describe('with a store that fails', () => {
  it('a bound session is renewed in memory, and goes on later from what the store has', async () => {
    const { client, state, time, device, store, changes } = await start({ keepsKeys: true })
    await registered(client)
    state.isBroken = true
    time.advance(LIFE * 1000)
    expect(await statusOf(client)).toBe(200)
    expect(changes).toContainEqual(told)
    state.isBroken = false
    const next = device().client({ store }) // the page was left
    expect(await statusOf(next)).toBe(200)
  })

  it('a session that rotates is not renewed, since the store would keep what is spent: it waits', async () => {
    const { client, state, time, sent, eventsOf, changes } = await start({ keepsKeys: false })
    await registered(client)
    state.isBroken = true
    time.advance(LIFE * 1000)
    expect(await codeOf(time.run(statusOf(client)))).toBe('store_failed')
    expect(sent('/auth/refresh')).toBe(0)
    state.isBroken = false
    expect(await statusOf(client)).toBe(200)
    expect(changes).not.toContainEqual(expect.objectContaining({ type: 'logged_out' }))
    expect(eventsOf('session.reuse_detected')).toEqual([])
  })

  it('another tab that has written since is right', async () => {
    const { client, state, time, device, store, changes } = await start({ keepsKeys: true })
    await registered(client)
    const other = device().client({ store })
    expect(await statusOf(other)).toBe(200)
    state.isBroken = true
    await client.changePassword({ current: PASSWORD, next: 'another good password' })
    expect(changes).toContainEqual(told)
    state.isBroken = false
    const email = await registered(other)
    time.advance(LIFE * 1000)
    expect(await statusOf(client)).toBe(200)
    expect(await client.session()).toMatchObject({ user: { email } })
  })
})
