import type { KeyStore } from '../store.ts'

/** Keeps keys in memory. */
export function memoryKeys(): KeyStore {
  const pairs = new Map<string, CryptoKeyPair>()
  return {
    read: async (thumbprint) => pairs.get(thumbprint),
    write: async (thumbprint, pair) => void pairs.set(thumbprint, pair),
    remove: async (thumbprint) => void pairs.delete(thumbprint),
  }
}

const keysOf = new WeakMap<object, KeyStore>()

/** The keys that go with something else in memory, and with it. */
export function memoryKeysOf(owner: object): KeyStore {
  const keys = keysOf.get(owner) ?? memoryKeys()
  keysOf.set(owner, keys)
  return keys
}
