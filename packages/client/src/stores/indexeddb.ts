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
  const use = connection(name)
  return {
    name,
    keys: keysIn(use),
    read: () =>
      use(async (database) =>
        asText(await ask(database.transaction(SESSION).objectStore(SESSION).get(SESSION))),
      ),
    update: (change) => use((database) => updateIn(database, change)),
  }
}

/** Keeps keys alone, for a session that is kept elsewhere. */
export function indexedDbKeys({ name = 'mapae' }: IndexedDbOptions = {}): KeyStore {
  return keysIn(connection(name))
}

const SESSION = 'session'
const KEYS = 'keys'

/** Milliseconds for which the database is waited for: some browsers leave a request without any answer. */
const PATIENCE = 2000
/** Milliseconds for which nobody waits again for one that did not answer. */
const SILENCE = 60_000

const silent = new Error('IndexedDB does not answer.')

type Use = <T>(work: (database: IDBDatabase) => Promise<T>) => Promise<T>

/**
 * One connection, opened when it is needed. What fails is done once more with a new one: the browser may have closed the first, because another
 * tab brings a newer version or the storage was taken away. So everything done here may be done twice.
 */
function connection(name: string): Use {
  let current: Promise<IDBDatabase> | undefined
  const forget = (one: Promise<IDBDatabase>): void => {
    if (current === one) current = undefined
    one.then((database) => database.close()).catch(() => {})
  }
  const opened = (): Promise<IDBDatabase> => {
    const one = openDatabase(name, () => forget(one))
    return one
  }
  let silentUntil = 0
  return (work) => {
    if (performance.now() < silentUntil) return Promise.reject(silent)
    const once = (): ReturnType<typeof work> => {
      current ??= opened()
      const mine = current
      return inTime(mine.then(work)).catch((error: unknown) => {
        forget(mine)
        throw error
      })
    }
    return once()
      .catch(once)
      .catch((error: unknown) => {
        if (error === silent) silentUntil = performance.now() + SILENCE
        throw error
      })
  }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(silent), PATIENCE)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** Whatever version it is of: one that comes later keeps these two stores. */
function openDatabase(name: string, forget: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name)
    request.onupgradeneeded = () => {
      for (const store of [SESSION, KEYS]) request.result.createObjectStore(store)
    }
    request.onerror = () => reject(request.error)
    request.onsuccess = () => {
      const database = request.result
      database.onversionchange = forget
      database.onclose = forget
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
    settled(transaction).then(() => resolve(now), reject)
  })
}

function keysIn(use: Use): KeyStore {
  const change = (work: (store: IDBObjectStore) => void): Promise<void> =>
    use((database) => {
      const transaction = database.transaction(KEYS, 'readwrite', { durability: 'strict' })
      work(transaction.objectStore(KEYS))
      return settled(transaction)
    })
  return {
    read: (thumbprint) =>
      use(async (database) => {
        const found = await ask(database.transaction(KEYS).objectStore(KEYS).get(thumbprint))
        return isPair(found) ? found : undefined
      }),
    write: (thumbprint, pair) => change((store) => store.put(pair, thumbprint)),
    remove: (thumbprint) => change((store) => store.delete(thumbprint)),
  }
}

function ask(request: IDBRequest<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

/** Resolves when what was written is safe. */
function settled(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
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
