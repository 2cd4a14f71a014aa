import type { BoundKeys } from './bound-keys.ts'
import type { Settings } from './options.ts'

/** What one client's parts share. */
export interface Context extends Settings {
  /** The keys of bound sessions; loaded when the first is needed. */
  readonly boundKeys: () => Promise<BoundKeys>
  /** Milliseconds since 1970 by the server's clock, as well as it is known. */
  readonly serverNow: () => number
}
