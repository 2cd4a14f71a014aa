import { setTimeout as sleep } from 'node:timers/promises'
import { setType } from '@mapae/guard/revocations'
import {
  createSigner,
  exportJwk,
  generateKey,
  importKey,
  type Jwk,
  type JwtClaims,
  type Key,
  type KeyQuery,
  type KeySet,
} from '@mapae/jwt'
import type { Admin } from './actor.ts'
import { record as writeDown } from './audit.ts'
import { type Clock, seconds } from './clock.ts'
import type { AuditedEvent, AuthEvent } from './events.ts'
import { unwrap, wrap } from './key-wrapping.ts'
import type { ServerSecret } from './server-secret.ts'
import { inTransaction, type Store } from './store/open-store.ts'
import { allSigningKeys, insertSigningKey, type SigningKeyRecord } from './store/signing-keys.ts'
import { StoreError } from './store/store-error.ts'

/** How long others may keep the published key set, in seconds. */
export const JWKS_MAX_AGE = 300
/** A new key is published this long, in milliseconds, before it signs: twice the cache time. */
export const PUBLISH_AHEAD: number = 2 * JWKS_MAX_AGE * 1000
const RELOAD_AFTER = 10_000
/** Characters; a list of ten thousand revocations takes 290,000. */
const LONGEST_EVENT = 1_000_000
/** A `kid` that is not known is looked for at most so often, in milliseconds of real time, however many are made up. */
const LOOK_AGAIN_AFTER = 100
/**
 * How long a new reading is waited for, in milliseconds of real time, where an older one will do: at first, and while the database
 * is silent since then. A connection that has to be made again after a quiet time takes longer than a statement.
 */
const PATIENCE = { atFirst: 2000, inSilence: 250 }

/** What the first key of a database succeeds: of replicas that start at once, one makes it. */
const NOTHING = 'nothing'

type Algorithm = 'ES256' | 'RS256' | 'Ed25519'

/**
 * The keys that access tokens are signed with. A key signs from its `active_from` until the next one's:
 * every replica turns to the new key at the same moment, by the clock alone. It stays published until its
 * last token has expired, and is kept, to verify only, for the renewal that sends an expired token along.
 */
export interface SigningKeys {
  /** Signs an access token with the key that is active now. */
  sign(claims: JwtClaims): Promise<string>
  /** The same for a security event token (RFC 8417), which may be long. */
  signEvent(claims: JwtClaims): Promise<string>
  /** Loads the keys if they are stale, or if `kid` is not among them: another replica may have made one just now. */
  load(kid?: string): Promise<void>
  /** Every key that proves a token: all but withdrawn ones. Synchronous, over what is loaded. */
  readonly proving: KeySet
  /** The withdrawn ones: they tell a token that somebody made with one from a made-up token that names one. */
  readonly withdrawn: KeySet
  isWithdrawn(kid: string): boolean
  /**
   * The JWK Set (RFC 7517 §5): active, next and lately retired keys, as of a moment in milliseconds. Never empty: caches keep what they
   * get. While the store is away, the last one for {@link PUBLISH_AHEAD}: so old it has every key that signs by now, but for one that
   * replaced a withdrawn one; then rejects with `StoreError`.
   */
  published(): Promise<{ readonly keys: readonly Jwk[]; readonly asOf: number }>
  /** The same as it is in the table now; where there is no key yet, none is made. */
  publishedNow(): Promise<readonly Jwk[]>
  /** As the table is when it is asked; whoever signs after that signs by it. */
  list(): Promise<readonly SigningKeyStatus[]>
  /** Makes a key that signs after it has been published long enough; at once with `signsNow`. */
  rotate(options: { readonly signsNow?: boolean }, admin: Admin): Promise<SigningKeyStatus>
  /** A new key that is in no table yet. Milliseconds. */
  draft(plan: { readonly activeFrom: number; readonly succeeds: string | null }): SigningKeyRecord
}

export interface SigningKeyStatus {
  readonly kid: string
  readonly algorithm: string
  readonly status: 'next' | 'active' | 'retired' | 'withdrawn'
  readonly createdAt: number
  /** Milliseconds. */
  readonly activeFrom: number
}

interface Ring {
  /** The how-manieth reading of the table it is. */
  readonly read: number
  readonly loadedAt: number
  readonly records: readonly SigningKeyRecord[]
  readonly publicKeys: ReadonlyMap<string, { readonly key: Key; readonly jwk: Jwk }>
  readonly signers: Map<string, Signers | undefined>
}

interface Signers {
  readonly token: (claims: JwtClaims) => string
  readonly event: (claims: JwtClaims) => string
}

export function createSigningKeys({
  store,
  secrets,
  clock,
  algorithm,
  longestAccessLifetime,
  emit,
}: {
  readonly store: Store
  readonly secrets: readonly [ServerSecret, ...ServerSecret[]]
  readonly clock: Clock
  readonly algorithm: Algorithm
  readonly longestAccessLifetime: () => number
  readonly emit: (event: AuthEvent) => void
}): SigningKeys {
  let ring: Ring | undefined
  let loading: Promise<Ring> | undefined
  let loadingSince = 0
  let isSilent = false
  let making: Promise<Ring> | undefined
  let looking: Promise<Ring> | undefined
  let lookedAt = Number.NEGATIVE_INFINITY
  let reads = 0

  return {
    async sign(claims) {
      const { token } = await activeSigner()
      return token(claims)
    },
    async signEvent(claims) {
      const { event } = await activeSigner()
      return event(claims)
    },
    async load(kid) {
      const { publicKeys } = await fresh()
      if (kid !== undefined && !publicKeys.has(kid)) await lookAgain()
    },
    proving: { find: (header) => keyOf(header, (kid) => !withdrawn(kid)) },
    withdrawn: { find: (header) => keyOf(header, withdrawn) },
    isWithdrawn: withdrawn,
    async published() {
      await activeSigner()
      const known = await fresh()
      if (older(known, PUBLISH_AHEAD)) throw new StoreError('unavailable', 'the signing keys are too old')
      return { keys: publishedOf(known), asOf: known.loadedAt }
    },
    async publishedNow() {
      return publishedOf(await readRing())
    },
    async list() {
      const { records } = await readRing()
      return records.map((record) => statusOf(record, records))
    },
    async rotate({ signsNow = false }, admin) {
      const record = draft({ activeFrom: clock() + (signsNow ? 0 : PUBLISH_AHEAD), succeeds: null })
      await keep(record, admin)
      const { records } = await readRing()
      return statusOf(record, records)
    },
    draft,
  }

  function keyOf({ alg, kid }: KeyQuery, counts: (kid: string) => boolean): Key | undefined {
    const found = kid === undefined ? undefined : ring?.publicKeys.get(kid)?.key
    return found?.alg === alg && kid !== undefined && counts(kid) ? found : undefined
  }

  async function activeSigner(): Promise<Signers> {
    const current = await fresh()
    const known = signerOf(current)
    if (known) return known
    const succeeds = current.records.length === 0 ? NOTHING : null
    making ??= keep(draft({ activeFrom: clock(), succeeds }))
      .then(readRing)
      .finally(() => {
        making = undefined
      })
    const made = signerOf(await making)
    if (!made) throw new StoreError('unavailable', 'no signing key can be opened with the configured secrets')
    return made
  }

  /** The newest key that is active by now and that one of our secrets opens. */
  function signerOf({ records, signers }: Ring): Signers | undefined {
    const now = clock()
    for (const record of records) {
      if (record.withdrawnAt !== null) continue
      // Before the first one there is none, however slow a clock is.
      if (record.activeFrom > now && record.succeeds !== NOTHING) continue
      if (!signers.has(record.kid)) signers.set(record.kid, openSigner(record))
      const signer = signers.get(record.kid)
      if (signer) return signer
    }
    return undefined
  }

  function openSigner(record: SigningKeyRecord): Signers | undefined {
    const jwk = unwrap(secrets, record.privateWrapped, record.kid)
    if (jwk === undefined) return undefined
    const key = importKey(parseJwk(jwk), { kid: record.kid })
    return {
      token: createSigner({ key, typ: 'at+jwt', clock }),
      event: createSigner({ key, typ: setType, clock, maxLength: LONGEST_EVENT }),
    }
  }

  /** Puts a key into the table, unless it has another successor of the same one by now. */
  async function keep(record: SigningKeyRecord, admin?: Admin): Promise<void> {
    const made = keyMade(record)
    const isOurs = await inTransaction(store, async (db) => {
      if (!(await insertSigningKey(db, record))) return false
      await writeDown(db, made, admin)
      return true
    })
    if (isOurs) emit(made)
  }

  function draft({
    activeFrom,
    succeeds,
  }: {
    activeFrom: number
    succeeds: string | null
  }): SigningKeyRecord {
    const key = generateKey(algorithm)
    return {
      kid: key.kid,
      algorithm,
      publicJwk: JSON.stringify(exportJwk(key)),
      privateWrapped: wrap(
        secrets[0],
        JSON.stringify(exportJwk(key, { dangerouslyIncludePrivate: true })),
        key.kid,
      ),
      createdAt: clock(),
      activeFrom,
      withdrawnAt: null,
      succeeds,
    }
  }

  function publishedOf({ records, publicKeys }: Ring): readonly Jwk[] {
    const now = clock()
    const inForce = records.filter((record) => record.withdrawnAt === null)
    const jwks = inForce.filter((_, index) => isPublished(inForce[index - 1], now))
    return jwks.flatMap(({ kid }) => publicKeys.get(kid)?.jwk ?? [])
  }

  /**
   * The ring, at most ten seconds old: after a quiet time too, a withdrawn key is heard of before it proves anything. While the
   * store is away or silent, the last one that it gave, and at once: the reading goes on behind.
   */
  async function fresh(): Promise<Ring> {
    if (ring && !older(ring, RELOAD_AFTER)) return ring
    const known = ring
    const reading = reload()
    if (!known) return reading
    const patience = isSilent ? PATIENCE.inSilence : PATIENCE.atFirst
    const left = loadingSince + patience - performance.now()
    const late = sleep(Math.max(0, left), undefined, { ref: false })
    const read = await Promise.race([reading.catch(() => known), late])
    if (!read) isSilent = true
    return read ?? known
  }

  function reload(): Promise<Ring> {
    if (loading) return loading
    loadingSince = performance.now()
    loading = readRing().finally(() => {
      loading = undefined
    })
    return loading
  }

  /** One reading, begun after everybody that waits for it asked, so that it sees the key their tokens were signed with. */
  function lookAgain(): Promise<Ring> {
    looking ??= sleep(Math.max(0, lookedAt + LOOK_AGAIN_AFTER - performance.now())).then(() => {
      looking = undefined
      lookedAt = performance.now()
      return readRing()
    })
    return looking
  }

  /** Of readings side by side the one that began last stays. */
  async function readRing(): Promise<Ring> {
    const read = ++reads
    const loadedAt = clock()
    const records = await allSigningKeys(store.db)
    isSilent = false
    if (ring && ring.read > read) return ring
    ring = { read, loadedAt, records, publicKeys: publicKeysOf(records), signers: new Map() }
    return ring
  }

  function older({ loadedAt }: Ring, age: number): boolean {
    return Math.abs(clock() - loadedAt) >= age
  }

  function withdrawn(kid: string): boolean {
    return ring?.records.some((record) => record.kid === kid && record.withdrawnAt !== null) ?? false
  }

  /** A key is published until the last token that it signed before its successor took over has expired. */
  function isPublished(successor: SigningKeyRecord | undefined, now: number): boolean {
    return !successor || now < successor.activeFrom + longestAccessLifetime() + PUBLISH_AHEAD
  }

  function statusOf(record: SigningKeyRecord, records: readonly SigningKeyRecord[]): SigningKeyStatus {
    const now = clock()
    const active = records.find((other) => other.withdrawnAt === null && other.activeFrom <= now)
    const { kid, createdAt, activeFrom } = record
    const status =
      record.withdrawnAt !== null
        ? 'withdrawn'
        : activeFrom > now
          ? 'next'
          : kid === active?.kid
            ? 'active'
            : 'retired'
    return { kid, algorithm: record.algorithm, status, createdAt, activeFrom }
  }
}

function publicKeysOf(records: readonly SigningKeyRecord[]): Ring['publicKeys'] {
  return new Map(
    records.map(({ kid, publicJwk }) => {
      const jwk = parseJwk(publicJwk)
      return [kid, { key: importKey(jwk, { kid }), jwk }]
    }),
  )
}

/** What there is to tell of a new key. */
export function keyMade({ kid, algorithm, activeFrom, createdAt }: SigningKeyRecord): AuditedEvent {
  const detail = { kid, algorithm, active_from: seconds(activeFrom) }
  return { type: 'signing_key.made', at: createdAt, detail }
}

/** Our own table's text; `importKey` checks every member. */
function parseJwk(text: string): Jwk {
  return JSON.parse(text)
}
