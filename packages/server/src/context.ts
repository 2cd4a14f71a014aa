import type { CookieNames } from '@mapae/guard/http'
import type { Clock } from './clock.ts'
import type { ClockCheck } from './clock-check.ts'
import type { AuthEvent } from './events.ts'
import type { FailureLog } from './failure-log.ts'
import type { KnownTokens } from './known-tokens.ts'
import type { Locator } from './locate.ts'
import type { Settings } from './options.ts'
import type { Passwords } from './passwords.ts'
import type { Proofs } from './proofs.ts'
import type { ServerSecret } from './server-secret.ts'
import type { SigningKeys } from './signing-keys.ts'
import type { SprayingWatch } from './spraying.ts'
import type { Store } from './store/open-store.ts'

/** What every verb and noun works with: made once by `createAuth`, never changed. */
export interface Context {
  readonly settings: Settings
  readonly clock: Clock
  readonly clockCheck: ClockCheck
  readonly store: Store
  readonly secrets: readonly [ServerSecret, ...ServerSecret[]]
  readonly signingKeys: SigningKeys
  /** Access tokens whose signature is known to be right. */
  readonly knownTokens: KnownTokens
  readonly passwords: Passwords
  readonly proofs: Proofs
  readonly cookieNames: CookieNames
  readonly failures: FailureLog
  readonly spraying: SprayingWatch
  readonly emit: (event: AuthEvent) => void
  /** The place of an address, in a few words. */
  readonly locate: Locator
  /** Emits an event the first time that its key comes up in this process. */
  readonly emitOnce: (key: string, event: AuthEvent) => void
  /** Has waiting mails sent, in the background; after the commit that put one into the queue. */
  readonly wakePostman: () => void
  /** The longest access-token lifetime, in milliseconds, that this database was ever run with. */
  readonly longestAccessLifetime: () => number
  /** Resolves when the store is open and up to date; fails with `StoreError` while it is not. */
  readonly ready: () => Promise<void>
}

export type { Origin } from './origin.ts'
