import type { Algorithm } from '../algorithms.ts'
import { JwtError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { Jwk } from '../keys/jwk.ts'
import { type Download, download, unavailable } from './download.ts'
import { createJwkSet, type JwkSet } from './local.ts'
import { checkLocation, type LocationPolicy, resolvesToPrivate } from './location.ts'
import type { KeyQuery, RemoteJwkSet } from './set.ts'

export interface RemoteJwkSetOptions extends LocationPolicy {
  /** Who fetches. A `fetch` of your own also takes over the look-up of the host's addresses. @default globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** The time in milliseconds, like `Date.now`. @default Date.now */
  readonly clock?: (() => number) | undefined
  /** The longest time for which a fetched set is fresh, in seconds, whatever its Cache-Control says. @default 600 */
  readonly cacheMaxAge?: number | undefined
  /** The shortest time between fetches that tokens cause, in seconds; a set is fresh at least as long. @default 30 */
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
 * Secrets (`kty: "oct"`) in it are ignored. Nothing is fetched until `refresh`, which a verifier calls by itself.
 *
 * - One fetch at a time; a made-up `kid` causes at most one fetch each `cooldown`.
 * - A key that the server no longer lists stops at the next fetch. While the server cannot be reached the last set is used for
 *   up to `staleIfError`, and looked after in the background; then, and when there never was one, `jwks_unavailable`.
 * - No redirects, https only but on this machine, no private addresses (the host is looked up before each fetch; an address
 *   that changes between look-up and fetch is https's to catch). Throws `options_invalid`.
 */
export function createRemoteJwkSet(url: string | URL, options: RemoteJwkSetOptions = {}): RemoteJwkSet {
  const settings = settle(url, options)
  let fetched: { set: JwkSet; at: number; freshUntil: number } | undefined
  let failure: { error: JwtError; at: number } | undefined
  let underway: Promise<void> | undefined

  function find(header: KeyQuery) {
    if (!fetched) return undefined
    const now = settings.now()
    if (now < fetched.freshUntil) return fetched.set.find(header)
    if (!failure || now >= fetched.at + settings.staleIfError) return undefined
    if (now >= failure.at + settings.cooldown) fetchOnce().catch(() => {})
    return fetched.set.find(header)
  }

  async function refresh(header?: KeyQuery): Promise<void> {
    if (!header) return fetchOnce()
    if (find(header)) return
    const lastTry = Math.max(fetched?.at ?? -Infinity, failure?.at ?? -Infinity)
    if (underway || settings.now() >= lastTry + settings.cooldown) await fetchOnce().catch(() => {})
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
      const at = settings.now()
      fetched = {
        set: publicKeys(answer.body, settings.rsaAlg),
        at,
        freshUntil: at + settings.freshness(answer),
      }
      failure = undefined
    } catch (error) {
      failure = {
        error: error instanceof JwtError ? error : unavailable('could not be fetched', error),
        at: settings.now(),
      }
      throw failure.error
    }
  }

  return Object.freeze({ find, refresh })
}

/** The options with their defaults, checked; times in seconds. */
function settle(location: string | URL, options: RemoteJwkSetOptions) {
  const { cacheMaxAge = 600, cooldown = 30, staleIfError = 21_600, timeout = 5, maxBytes = 262_144 } = options
  for (const [name, value] of Object.entries({ cacheMaxAge, cooldown, staleIfError, timeout, maxBytes })) {
    if (Number.isFinite(value) && value >= 0) continue
    throw new JwtError({ code: 'options_invalid', description: `${name} must be a number, zero or more.` })
  }
  const url = checkLocation(location, options)
  const { clock = Date.now, fetch, rsaAlg = 'RS256' } = options
  createJwkSet({ keys: [] }, { rsaAlg })
  const mustResolve = fetch === undefined && !options.dangerouslyAllowPrivateAddresses
  return {
    cooldown,
    staleIfError,
    rsaAlg,
    now: () => clock() / 1000,
    freshness: ({ maxAge = Math.min(300, cacheMaxAge) }: Download) =>
      Math.min(Math.max(maxAge, cooldown), cacheMaxAge),
    download: async () => {
      if (mustResolve && (await resolvesToPrivate(url))) throw unavailable('is at a private address')
      return download({ url, fetch: fetch ?? globalThis.fetch, timeout, maxBytes })
    },
  }
}

/** Whoever can read the set could sign with its secrets: they are not keys of it. */
function publicKeys(body: JsonObject, rsaAlg: Algorithm): JwkSet {
  const { keys } = body
  if (!Array.isArray(keys))
    throw new JwtError({ code: 'jwks_invalid', description: 'The key set has no list of keys.' })
  return createJwkSet(
    { keys: keys.filter((jwk: unknown): jwk is Jwk => isJsonObject(jwk) && jwk['kty'] !== 'oct') },
    { rsaAlg },
  )
}
