import type { Key } from '../keys/key.ts'

/** What of a header selects a key. */
export interface KeyQuery {
  readonly alg: string
  readonly kid?: string | undefined
}

/** A set of keys that answers at once. `createJwkSet` makes one; a server may bring its own. */
export interface KeySet {
  /**
   * The one key with this `kid` that accepts this `alg`. Without a `kid`, the one key that accepts this `alg`, if there is
   * exactly one.
   */
  find(header: KeyQuery): Key | undefined
  readonly refresh?: undefined
}

/** A set of keys that lives elsewhere: `find` sees what is cached, `refresh` fetches. See `createRemoteJwkSet`. */
export interface RemoteJwkSet {
  find(header: KeyQuery): Key | undefined
  /**
   * Fetches the set. With a header: only if no key answers to it and the cooldown allows. Without: always. Never more than
   * one fetch at a time. Rejects with `jwks_unavailable` when the set could not be had.
   */
  refresh(header?: KeyQuery): Promise<void>
}

/** The keys that a verifier may use. */
export type KeySource = Key | readonly Key[] | KeySet
