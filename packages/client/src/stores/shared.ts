import type { Store } from '../store.ts'
import { memoryStore } from './memory.ts'

/** IndexedDB, loaded when it is needed; memory where the browser has none, or does not let this page use it. */
export function sharedStore(name: string): Store {
  let opened: Promise<Store> | undefined
  const store = (): Promise<Store> => {
    opened ??= open(name)
    return opened
  }
  return {
    name,
    read: async () => (await store()).read(),
    update: async (change) => (await store()).update(change),
  }
}

async function open(name: string): Promise<Store> {
  try {
    const { indexedDbStore } = await import('./indexeddb.ts')
    const store = indexedDbStore({ name })
    await store.read()
    return store
  } catch {
    return memoryStore()
  }
}
