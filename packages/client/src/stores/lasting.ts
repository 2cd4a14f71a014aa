import { MapaeError } from '../mapae-error.ts'
import type { KeyStore, Store } from '../store.ts'

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

  const keys = typeof store.keys === 'object' ? lastingKeys(store.keys) : undefined
  const instead = (text: string | undefined): string | undefined =>
    held && (!stored || stored.text === text) ? held.text : text
  const updated: Store['update'] = async (change) => {
    try {
      await keys?.bringIn()
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
  }
  /** One after another: what fails goes on from what was there before it. */
  let line: Promise<unknown> = Promise.resolve()
  return {
    ...store,
    keys: keys ?? store.keys,
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
    update: (change) => {
      const mine = line.then(() => updated(change))
      line = mine.catch(() => {})
      return mine
    },
  }
}

/** The same for keys. `bringIn` goes before a session, which is lost to whoever finds it without its key. */
function lastingKeys(keys: KeyStore): KeyStore & { bringIn(): Promise<void> } {
  const held = new Map<string, CryptoKeyPair>()
  return {
    // One that cannot be read is not gone.
    read: async (thumbprint) =>
      held.get(thumbprint) ??
      keys.read(thumbprint).catch((cause: unknown) => {
        throw new MapaeError('store_failed', undefined, { cause })
      }),
    write: (thumbprint, pair) =>
      keys.write(thumbprint, pair).catch(() => {
        held.set(thumbprint, pair)
      }),
    remove: async (thumbprint) => {
      held.delete(thumbprint)
      await keys.remove(thumbprint)
    },
    bringIn: async () => {
      for (const [thumbprint, pair] of held) {
        await keys.write(thumbprint, pair)
        held.delete(thumbprint)
      }
    },
  }
}
