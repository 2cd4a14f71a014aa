import { memoryStore, type Store } from '@mapae/client'
import { localStorageStore } from '@mapae/client/stores/local-storage'
import { type SecureStoreModule, secureStore } from '@mapae/client/stores/secure-store'
import { describe, expect, it } from 'vitest'
import { LIFE, registered, startWorld, statusOf } from './start-world.ts'

/** A keychain that refuses long values, as older phones do. `breaksAt`: the write from which on nothing is done any more. */
function keychain({ breaksAt = Number.POSITIVE_INFINITY } = {}) {
  const values = new Map<string, string>()
  let writes = 0
  const write = (change: () => void): void => {
    if (++writes >= breaksAt) throw new Error('the process has ended')
    change()
  }
  const module: SecureStoreModule = {
    AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: 4,
    getItemAsync: async (key) => values.get(key) ?? null,
    setItemAsync: async (key, value, settings) => {
      expect(new TextEncoder().encode(value).length).toBeLessThan(2048)
      expect(key).toMatch(/^[\w.-]+$/) // what expo-secure-store allows
      expect(settings).toMatchObject({ keychainAccessible: 4 })
      write(() => values.set(key, value))
    },
    deleteItemAsync: async (key) => write(() => values.delete(key)),
  }
  return { module, values }
}

function storage(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  const values = new Map<string, string>()
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  }
}

const stores: readonly (readonly [string, () => Store])[] = [
  ['memory', memoryStore],
  ['localStorage', () => localStorageStore({ storage: storage() })],
  ['SecureStore', () => secureStore(keychain().module)],
]

describe.each(stores)('the store in %s', (_, open) => {
  it('keeps a text, replaces it in one step, and forgets it', async () => {
    const store = open()
    expect(await store.read()).toBeUndefined()
    const add = (text = ''): string => `${text}한글 `
    await Promise.all(Array.from({ length: 50 }, () => store.update(add)))
    expect(await store.read()).toBe('한글 '.repeat(50))
    expect(await store.update((text) => text)).toBe('한글 '.repeat(50))
    expect(await store.update(() => undefined)).toBeUndefined()
    expect(await store.read()).toBeUndefined()
  })

  it('keeps a client logged in', async () => {
    const { device, time } = await startWorld()
    const { client: start } = device()
    const store = open()
    const email = await registered(start({ store }))
    time.advance(LIFE * 1000)
    const next = start({ store })
    expect(await next.session()).toMatchObject({ user: { email } })
    expect(await statusOf(next)).toBe(200)
  })
})

describe('the store in SecureStore', () => {
  it('holds the old text or the new one, wherever the process ends', async () => {
    const [old, next] = ['o'.repeat(4500), 'n'.repeat(6500)]
    for (let breaksAt = 1; breaksAt < 12; breaksAt++) {
      const { module, values } = keychain()
      await secureStore(module).update(() => old)
      const breaking = keychain({ breaksAt })
      for (const [key, value] of values) breaking.values.set(key, value)
      await secureStore(breaking.module)
        .update(() => next)
        .catch(() => {})
      const restarted = keychain()
      for (const [key, value] of breaking.values) restarted.values.set(key, value)
      const store = secureStore(restarted.module)
      expect([old, next]).toContain(await store.read())
      expect(await store.update(() => 'short')).toBe('short')
      expect(await store.read()).toBe('short')
    }
  })

  it('leaves nothing behind but its head', async () => {
    const { module, values } = keychain()
    const store = secureStore(module)
    await store.update(() => 'x'.repeat(5000))
    await store.update(() => undefined)
    expect([...values.keys()]).toEqual(['mapae.head'])
  })
})
