import type { OnChange } from '../keeper.ts'
import type { Store } from '../store.ts'
import { indexedDbStore } from './indexeddb.ts'
import { lastingStore } from './lasting.ts'

/** What cookie delivery keeps: no token, so that memory will do wherever the store does not. @default IndexedDB */
export function sharedStore(
  name: string,
  { store = indexedDbStore({ name }), onChange }: { readonly store?: Store; readonly onChange: OnChange },
): Store {
  return lastingStore(store, { failed: () => onChange({ type: 'store_failed' }, undefined) })
}
