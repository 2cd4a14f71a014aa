import type { Store } from '../store.ts'

/** Keeps the session in memory: it is gone when the page or process is, and no other tab sees it. */
export function memoryStore(): Store {
  let text: string | undefined
  return {
    read: async () => text,
    update: async (change) => {
      text = change(text)
      return text
    },
    keys: 'memory',
  }
}
