import type { Algorithm } from '../algorithms.ts'
import { JwtError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { type Jwk, membersOf } from '../keys/jwk.ts'
import { type Download, download, type Get } from './download.ts'
import { httpGet } from './http-get.ts'
import { createJwkSet, type JwkSet } from './local.ts'
import { checkLocation, type LocationPolicy, prepareAddressCheck } from './location.ts'
import type { KeyQuery, RemoteJwkSet } from './set.ts'

export interface RemoteJwkSetOptions extends LocationPolicy {
  /** Who fetches. A `fetch` of your own also takes over the look-up of the host's addresses. @default node:https */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** The time in milliseconds, like `Date.now`. @default Date.now */
  readonly clock?: (() => number) | undefined
  /** The longest time for which a fetched set is fresh, in seconds, whatever its Cache-Control says; at least 1. @default 600 */
  readonly cacheMaxAge?: number | undefined
  /** The shortest time between fetches that tokens cause, in seconds, at least 1; a set is fresh as long. @default 30 */
  readonly cooldown?: number | undefined
  /** How long the last set is used after it was fetched while its server cannot be reached, in seconds. @default 21600 */
  readonly staleIfError?: number | undefined
  /** The longest time that a fetch may take, in seconds. @default 5 */
  readonly timeout?: number | undefined
  /** The largest answer to read, in bytes. @default 262144 */
  readonly maxBytes?: number | undefined
  /** The algorithm of RSA keys that do not name one. @default 'RS256' */
  readonly rsaAlg?: Algorithm | undefined
}

/**
 * The key set at a URL (RFC 7517 §5), fetched when first needed and cached as its `Cache-Control` says, within bounds.
 * Secrets and private keys in it are ignored: whoever reads the set could sign with them. Nothing is fetched until `refresh`,
 * which a verifier calls by itself.
 *
 * - One fetch at a time; a made-up `kid` causes at most one fetch each `cooldown`.
 * - A key that the server no longer lists stops at the next fetch. While the server cannot be reached the last set is used for
 *   up to `staleIfError`, and asked for in the background; then, and when there never was one, `jwks_unavailable`. A failure
 *   that is two cooldowns old proves nothing any more: the next token waits for a fetch.
 * - No redirects, https only but on this machine, no private addresses: those of the host are judged as they are connected to.
 *   Throws `options_invalid`.
 */
export function createRemoteJwkSet(url: string | URL, options: RemoteJwkSetOptions = {}): RemoteJwkSet {
  const settings = settle(url, options)
  let fetched: { set: JwkSet; at: number; freshFor: number } | undefined
  let failure: { error: unknown; at: number } | undefined
  let underway: Promise<void> | undefined

  function find(header: KeyQuery) {
    if (!fetched) return undefined
    const now = settings.now()
    if (within(now, fetched.at, fetched.freshFor)) return fetched.set.find(header)
    if (!failure || !within(now, fetched.at, settings.staleIfError)) return undefined
    if (!within(now, failure.at, 2 * settings.cooldown)) return undefined
    if (!within(now, failure.at, settings.cooldown)) fetchOnce().catch(() => {})
    return fetched.set.find(header)
  }

  async function refresh(header?: KeyQuery): Promise<void> {
    if (!header) return fetchOnce()
    if (find(header)) return
    const last = failure ?? fetched
    const isDue = !last || !within(settings.now(), last.at, settings.cooldown)
    if (underway || isDue) await fetchOnce().catch(() => {})
    if (failure && !find(header)) throw failure.error
  }

  function fetchOnce(): Promise<void> {
    underway ??= load().finally(() => {
      underway = undefined
    })
    return underway
  }

  async function load(): Promise<void> {
    try {
      const answer = await settings.download()
      const set = publicKeys(answer.body, settings.rsaAlg)
      fetched = { set, at: settings.now(), freshFor: settings.freshness(answer) }
      failure = undefined
    } catch (error) {
      failure = { error, at: settings.now() }
      throw error
    }
  }

  return Object.freeze({ find, refresh })
}

/** False also for a clock that was set back, and for one that gives NaN: then nothing is fresh. */
function within(now: number, from: number, length: number): boolean {
  return now >= from && now < from + length
}

/** Seconds that fit into a timer of Node (24 days), and bytes. */
const MOST = 2_000_000

/** The options with their defaults, checked; times in seconds. */
function settle(location: string | URL, options: RemoteJwkSetOptions) {
  const { cacheMaxAge = 600, cooldown = 30, staleIfError = 21_600, timeout = 5, maxBytes = 262_144 } = options
  for (const [name, value, least] of [
    ['cacheMaxAge', cacheMaxAge, 1],
    ['cooldown', cooldown, 1],
    ['staleIfError', staleIfError, 0],
    ['timeout', timeout, 0],
    ['maxBytes', maxBytes, 0],
  ] as const) {
    if (Number.isFinite(value) && value >= least && value <= MOST) continue
    throw new JwtError({ code: 'options_invalid', description: `${name} must be from ${least} to ${MOST}.` })
  }
  const url = checkLocation(location, options)
  const { clock = Date.now, rsaAlg = 'RS256' } = options
  createJwkSet({ keys: [] }, { rsaAlg })
  const get: Get = options.fetch ?? httpGet(prepareAddressCheck(url, options))
  // A set may go stale before the cooldown is over only if it may then be fetched again.
  const wait = Math.min(cooldown, cacheMaxAge)
  return {
    cooldown: wait,
    staleIfError,
    rsaAlg,
    now: () => clock() / 1000,
    freshness: ({ maxAge = Math.min(300, cacheMaxAge) }: Download) =>
      Math.min(Math.max(maxAge, wait), cacheMaxAge),
    download: () => download({ url, get, timeout, maxBytes }),
  }
}

/** Whoever can read the set could sign with its secrets and private keys: they are not keys of it. */
function publicKeys(body: JsonObject, rsaAlg: Algorithm): JwkSet {
  const { keys } = body
  if (!Array.isArray(keys))
    throw new JwtError({ code: 'jwks_invalid', description: 'The key set has no list of keys.' })
  return createJwkSet({ keys: keys.filter(isPublicJwk) }, { rsaAlg })
}

function isPublicJwk(jwk: unknown): jwk is Jwk {
  if (!isJsonObject(jwk)) return false
  return membersOf(jwk['kty'])?.private.every((name) => jwk[name] === undefined) ?? false
}
