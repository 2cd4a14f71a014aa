import { once } from '../once.ts'
import type { KeyStore, Store } from '../store.ts'

/** Where the session lies in `localStorage`. */
export interface LocalStorageOptions {
  /** @default 'mapae' */
  readonly name?: string | undefined
  /** @default globalThis.localStorage */
  readonly storage?: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | undefined
}

/**
 * Keeps the session in `localStorage`, for all tabs of the origin. Two tabs may write at the same moment there; where the browser
 * has Web Locks, as all current ones do, they take turns. Its key is in IndexedDB: `localStorage` holds texts, and
 * whoever copies those has tokens that need the key.
 */
export function localStorageStore({ name = 'mapae', ...options }: LocalStorageOptions = {}): Store {
  // A browser that blocks it throws on the very word: then nothing can be kept, and the app begins all the same.
  const storage = () => options.storage ?? globalThis.localStorage
  const read = (): string | undefined => storage().getItem(name) ?? undefined
  return {
    name,
    keys: typeof indexedDB === 'undefined' ? undefined : keysOf(name),
    read: async () => read(),
    update: (change) =>
      inTurn(`${name}.store`, () => {
        const before = read()
        const now = change(before)
        if (now === undefined) storage().removeItem(name)
        else if (now !== before) storage().setItem(name, now)
        return now
      }),
  }
}

/** In IndexedDB, loaded when the first key is made or needed. */
function keysOf(name: string): KeyStore {
  const keys = once(async () => (await import('./indexeddb.ts')).indexedDbKeys({ name }))
  return {
    read: async (thumbprint) => (await keys()).read(thumbprint),
    write: async (thumbprint, pair) => (await keys()).write(thumbprint, pair),
    remove: async (thumbprint) => (await keys()).remove(thumbprint),
  }
}

/** Held for one synchronous step, so that nobody waits long. */
async function inTurn<T>(name: string, step: () => T): Promise<T> {
  const locks = globalThis.navigator?.locks
  return locks ? await locks.request(name, async () => step()) : step()
}
