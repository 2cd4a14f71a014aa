import type { KeyStore, Store } from '../store.ts'

/** Where the session and its key lie in IndexedDB. */
export interface IndexedDbOptions {
  /** The database's name: one for each client of an origin. @default 'mapae' */
  readonly name?: string | undefined
}

/**
 * Keeps the session in IndexedDB, for all tabs and workers of the origin; a transaction makes `update` one step among them.
 * Keys are kept as they are: nobody can read a key out that cannot be exported, not even the page.
 */
export function indexedDbStore({ name = 'mapae' }: IndexedDbOptions = {}): Store {
  const open = opener(name)
  return {
    name,
    keys: keysIn(open),
    read: async () => {
      const found = await ask((await open()).transaction(SESSION).objectStore(SESSION).get(SESSION))
      return asText(found)
    },
    update: async (change) => updateIn(await open(), change),
  }
}

/** Keeps keys alone, for a session that is kept elsewhere. */
export function indexedDbKeys({ name = 'mapae' }: IndexedDbOptions = {}): KeyStore {
  return keysIn(opener(name))
}

const SESSION = 'session'
const KEYS = 'keys'

/** One connection, opened when it is needed, and again when it was closed. */
function opener(name: string): () => Promise<IDBDatabase> {
  let opened: Promise<IDBDatabase> | undefined
  const forget = (): void => {
    opened = undefined
  }
  return () => {
    opened ??= openDatabase(name, forget).catch((error: unknown) => {
      forget()
      throw error
    })
    return opened
  }
}

function openDatabase(name: string, closed: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => {
      for (const store of [SESSION, KEYS]) request.result.createObjectStore(store)
    }
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error('an older version of the database is open'))
    request.onsuccess = () => {
      const database = request.result
      // Another tab brings a newer version, or the browser takes the storage away: open again next time.
      database.onversionchange = () => {
        database.close()
        closed()
      }
      database.onclose = closed
      resolve(database)
    }
  })
}

function updateIn(
  database: IDBDatabase,
  change: (text: string | undefined) => string | undefined,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(SESSION, 'readwrite', { durability: 'strict' })
    const store = transaction.objectStore(SESSION)
    let now: string | undefined
    const request = store.get(SESSION)
    request.onsuccess = () => {
      const before = asText(request.result)
      now = change(before)
      if (now === before) return
      if (now === undefined) store.delete(SESSION)
      else store.put(now, SESSION)
    }
    transaction.oncomplete = () => resolve(now)
    transaction.onabort = () => reject(transaction.error)
  })
}

function keysIn(open: () => Promise<IDBDatabase>): KeyStore {
  const store = async (mode: IDBTransactionMode): Promise<IDBObjectStore> =>
    (await open()).transaction(KEYS, mode, { durability: 'strict' }).objectStore(KEYS)
  return {
    read: async (thumbprint) => {
      const found = await ask((await store('readonly')).get(thumbprint))
      return isPair(found) ? found : undefined
    },
    write: async (thumbprint, pair) => void (await settle((await store('readwrite')).put(pair, thumbprint))),
    remove: async (thumbprint) => void (await settle((await store('readwrite')).delete(thumbprint))),
  }
}

function ask(request: IDBRequest<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

/** Resolves when what was written is safe. */
function settle<T>({ transaction }: IDBRequest<T>): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!transaction) return resolve()
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function isPair(value: unknown): value is CryptoKeyPair {
  return typeof value === 'object' && value !== null && 'privateKey' in value && 'publicKey' in value
}
