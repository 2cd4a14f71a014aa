import {
  createVerifier,
  type KeyQuery,
  type KeySet,
  type KeySource,
  type RemoteJwkSet,
  type VerifiedJwt,
} from '@mapae/jwt'
import { GuardError } from '../guard-error.ts'
import { isLoopback } from '../loopback.ts'
import type { GuardOptions } from '../options.ts'
import { isRemote } from '../remote-keys.ts'
import { feedOpener, type OpenFeed } from './open-feed.ts'
import type { WhenStale } from './options.ts'
import { type FetchPublishedKeys, prepareFetchPublishedKeys } from './published-keys.ts'
import { feedAudience, setType } from './statement.ts'
import { checkWhenStale } from './when-stale.ts'

/** How a guard follows a feed: its options, checked and prepared. */
export type RevocationSettings = {
  readonly url: string
  readonly token: string | undefined
  /** Milliseconds. */
  readonly maxStaleness: number
  readonly whenStale: WhenStale
  /** Nobody said that there is a feed: an issuer without one is as good as ever. */
  readonly mayBeAbsent: boolean
  readonly open: OpenFeed
  readonly verify: (token: string) => VerifiedJwt | Promise<VerifiedJwt>
  /** Whether the key is at hand. */
  readonly has: (key: KeyQuery) => boolean
  /** Fetches the key set anew; nothing where it is given once for all. */
  readonly refreshKeys: () => Promise<void>
  /** Nothing, where the issuer cannot be asked so that nobody changes its answer. */
  readonly fetchPublishedKeys: FetchPublishedKeys | undefined
  readonly clock: () => number
  readonly onError: (error: unknown) => void
}

/** A list of ten thousand entries is 290,000 characters long. */
const LONGEST_SET = 1_000_000

/** Nothing, where revocations are not followed. Throws GuardError `options_invalid`. */
export function settleRevocations(
  options: GuardOptions,
  { keys, onError }: { keys: KeySource | RemoteJwkSet; onError: (error: unknown) => void },
): RevocationSettings | undefined {
  const isOurs = options.keys === undefined && !options.discovery
  const { revocations = isOurs ? 'auto' : false, issuer, clock = Date.now } = options
  if (revocations === false) return undefined
  const isObject = typeof revocations === 'object' && revocations !== null
  if (!isObject && revocations !== true && revocations !== 'auto')
    throw invalid("revocations must be true, false, 'auto' or an object of options.")
  const { url, token, maxStaleness = 60, whenStale = 'accept', fetch } = isObject ? revocations : {}
  if (!(maxStaleness >= 10 && maxStaleness <= 86_400))
    throw invalid('maxStaleness must be 10 to 86400 seconds.')
  checkWhenStale(whenStale)
  const location = url ?? feedAudience(issuer)
  const opener = fetch ?? options.fetch
  if (!opener && isReadable(location))
    throw invalid('revocations need an https URL; http is taken for localhost only.')
  // What opens a relay may lead nowhere else.
  const issuersOwn = url === undefined ? opener : options.fetch
  const rules = {
    issuer,
    audience: feedAudience(issuer),
    typ: setType,
    maxLength: LONGEST_SET,
    // How old a statement is decides how stale the guard is, never whether what it revokes is revoked.
    dangerouslyAllowNoExpiry: true,
    dangerouslyIgnoreTimes: true,
  }
  return {
    url: location,
    token,
    maxStaleness: maxStaleness * 1000,
    whenStale,
    mayBeAbsent: revocations === 'auto',
    open: feedOpener(opener),
    verify: isRemote(keys) ? createVerifier({ ...rules, keys }) : createVerifier({ ...rules, keys }),
    has: isSet(keys) ? (key) => keys.find(key) !== undefined : () => true,
    refreshKeys: isRemote(keys) ? () => keys.refresh() : async () => {},
    fetchPublishedKeys:
      issuersOwn || !isReadable(issuer)
        ? prepareFetchPublishedKeys(issuer, feedOpener(issuersOwn))
        : undefined,
    clock,
    onError,
  }
}

/** What is revoked is no secret, but the token that opens the feed is one; and what comes of plain http, anybody can have changed. */
function isReadable(location: string): boolean {
  const url = URL.canParse(location) ? new URL(location) : undefined
  return url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLoopback(url.hostname))
}

function isSet(keys: KeySource | RemoteJwkSet): keys is KeySet | RemoteJwkSet {
  return !Array.isArray(keys) && 'find' in keys
}

function invalid(description: string): GuardError {
  return new GuardError('options_invalid', description)
}
