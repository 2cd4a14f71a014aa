import type { Store } from '../store.ts'
import { memoryStore } from '../stores/memory.ts'
import { memoryKeys } from '../stores/memory-keys.ts'

/** What the tabs of one browser share. */
export interface SharedStorage {
  /** The store of one tab. `asleep`: called before anything is done, to hold a tab up or to let it crash. */
  tab(asleep?: (when: 'before' | 'after') => Promise<void>): Store
  /** What is in it. */
  peek(): Promise<string | undefined>
}

let count = 0

/** `keepsKeys`: whether sessions can be bound to a key in it. */
export function sharedStorage({ keepsKeys = true }: { readonly keepsKeys?: boolean } = {}): SharedStorage {
  const memory = memoryStore()
  const name = `shared storage ${++count}`
  const keys = keepsKeys ? memoryKeys() : undefined
  return {
    tab: (asleep = async () => {}) => ({
      name,
      keys,
      read: async () => {
        await asleep('before')
        return memory.read()
      },
      update: async (change) => {
        await asleep('before')
        const text = await memory.update(change)
        await asleep('after')
        return text
      },
    }),
    peek: memory.read,
  }
}
