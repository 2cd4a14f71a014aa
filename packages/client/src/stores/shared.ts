import type { Store } from '../store.ts'
import { indexedDbStore } from './indexeddb.ts'
import { memoryStore } from './memory.ts'

/** IndexedDB; memory where the browser has none, or does not let this page use it. */
export async function sharedStore(name: string): Promise<Store> {
  try {
    const store = indexedDbStore({ name })
    await store.read()
    return store
  } catch {
    return memoryStore()
  }
}
