import { MapaeError } from '../mapae-error.ts'
import type { KeyStore, Store } from '../store.ts'
import { memoryKeys } from './memory-keys.ts'

/** How a store goes on that fails. */
export interface Lasting {
  /** Called when something is in memory alone. */
  readonly failed: () => void
  /** Whether what the store holds may be replaced in memory alone. @default always */
  readonly mayLag?: (stored: string | undefined, text: string) => boolean
  /** Whether what was never read may be taken for nothing. @default true */
  readonly mayForget?: boolean
}

/**
 * A store that goes on in memory while the one below fails (full, closed, not allowed, out of order), and brings what it holds in as soon as that
 * works again, unless another tab has written something by then. Throws what the store throws where that must not be.
 */
export function lastingStore(
  store: Store,
  { failed, mayLag = () => true, mayForget = true }: Lasting,
): Store {
  /** What was in the store when it was last heard of. */
  let stored: { readonly text: string | undefined } | undefined
  /** What is in memory in its place. */
  let held: { readonly text: string | undefined } | undefined

  const instead = (text: string | undefined): string | undefined =>
    held && (!stored || stored.text === text) ? held.text : text
  return {
    ...store,
    read: async () => {
      try {
        const text = await store.read()
        if (stored && stored.text !== text) held = undefined
        stored = { text }
      } catch (error) {
        if (!stored && !held && !mayForget) throw error
      }
      return (held ?? stored)?.text
    },
    update: async (change) => {
      try {
        const text = await store.update((text) => change(instead(text)))
        stored = { text }
        held = undefined
        return text
      } catch (error) {
        const text = change((held ?? stored)?.text)
        const isAllowed = text === undefined ? stored || held || mayForget : mayLag(stored?.text, text)
        if (!isAllowed) throw error
        if (!held) failed()
        held = { text }
        return text
      }
    },
  }
}

/** The same for keys. One that cannot be read is not lost: that throws `store_failed`. */
export function lastingKeys(keys: KeyStore): KeyStore {
  const memory = memoryKeys()
  return {
    read: async (thumbprint) =>
      (await memory.read(thumbprint)) ??
      keys.read(thumbprint).catch((cause: unknown) => {
        throw new MapaeError('store_failed', undefined, { cause })
      }),
    write: async (thumbprint, pair) =>
      keys.write(thumbprint, pair).catch(() => memory.write(thumbprint, pair)),
    remove: async (thumbprint) => {
      await memory.remove(thumbprint)
      await keys.remove(thumbprint)
    },
  }
}
