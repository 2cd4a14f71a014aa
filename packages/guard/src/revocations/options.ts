/** How a guard hears of revocations. */
export type RevocationOptions = {
  /** Where the feed is, such as the address of a relay: what it carries is signed by the issuer. @default `{issuer}/revocations` */
  readonly url?: string | undefined
  /** What opens a feed that is closed to others (`revocationFeed.token` of the server). It is sent to `url`. @default none */
  readonly token?: string | undefined
  /** How old, in seconds, what the guard knows may be before it counts as stale; from 10 on. @default 60 */
  readonly maxStaleness?: number | undefined
  /**
   * What becomes of good tokens while it is stale. `'accept'`: they count until they expire, as JWTs do everywhere. `'refuse'`: 503
   * `revocations_stale`, never 401. A route can have its own. @default 'accept'
   */
  readonly whenStale?: WhenStale | undefined
  /** Who opens the feed; in the process of the auth server, `(url, init) => auth.fetch(new Request(url, init))`. @default the guard's `fetch` */
  readonly fetch?: typeof globalThis.fetch | undefined
}

export type WhenStale = 'accept' | 'refuse'

/** What a guard knows of revocations, for readiness checks and metrics. */
export type RevocationStatus = {
  /**
   * `off`: not asked for. `starting`: not heard of yet. `live`: everything is known, but for the last seconds. `stale`: the feed is away,
   * or somebody holds back what it says, for longer than `maxStaleness`. `absent`: this issuer has no feed. `closed`: `close()` was called.
   */
  readonly state: 'off' | 'starting' | 'live' | 'stale' | 'absent' | 'closed'
  /** For how many seconds something may have been revoked without being known here; undefined where nothing was heard. */
  readonly staleFor: number | undefined
  /** How many sessions and accounts are known as revoked, and what they take, in bytes. */
  readonly entries: number
  readonly bytes: number
}
