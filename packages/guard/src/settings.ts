import {
  createDiscoveredJwkSet,
  createRemoteJwkSet,
  createVerifier,
  JwtError,
  type KeySource,
  type RemoteJwkSet,
  type VerifiedJwt,
} from '@mapae/jwt'
import { requiredClaims } from './access-claims.ts'
import type { TokenScheme } from './dpop/binding.ts'
import { type DpopSettings, settleDpop } from './dpop-settings.ts'
import { GuardError } from './guard-error.ts'
import { cookieNames } from './http/cookie-names.ts'
import type { GuardOptions } from './options.ts'
import { originOf } from './origin-of.ts'
import { retryAfter } from './refusal.ts'
import { isRemote } from './remote-keys.ts'
import type { Renew } from './renewal.ts'
import { type ResourceMetadata, settleMetadata } from './resource-metadata.ts'
import { createRevocations, type Revocations } from './revocations/revocations.ts'
import { settleRevocations } from './revocations/settings.ts'

/** The options of a guard, checked and prepared. */
export type Settings = {
  readonly verify: (token: string) => VerifiedJwt | Promise<VerifiedJwt>
  /** Nothing, where no token is remembered. */
  readonly tokenCache: { readonly max: number } | undefined
  readonly readsHeader: boolean
  /** Nothing, where cookies do not count. */
  readonly cookie:
    | { readonly name: string; readonly ownOrigin: string; readonly allowedOrigins: readonly string[] }
    | undefined
  /** Nothing, where bound tokens are refused. */
  readonly dpop: DpopSettings | undefined
  /** How tokens may be presented. */
  readonly schemes: readonly TokenScheme[]
  readonly metadata: ResourceMetadata | undefined
  /** Where the metadata are, for challenges. */
  readonly resourceMetadata: string | undefined
  readonly renew: Renew
  readonly revocations: Revocations
  /** Milliseconds. */
  readonly clock: () => number
  readonly onError: (error: unknown) => void
}

/** Throws GuardError `options_invalid`, saying which option and why. */
export function settle(options: GuardOptions & { readonly ownClaims?: unknown }): Settings {
  if (typeof options?.issuer !== 'string' || options.issuer === '') throw invalid('issuer must be a URL.')
  if (options.discovery && options.keys !== undefined)
    throw invalid('discovery finds the keys: give one or the other.')
  const credentials = options.credentials ?? (canSetCookies(options) ? 'both' : 'header')
  if (!sources.has(credentials)) throw invalid("credentials must be 'header', 'cookie' or 'both'.")
  const dpop = settleDpop({ ...options, credentials })
  const readsHeader = credentials !== 'cookie'
  const tokenCache = settleCache(options)
  const metadata = settleMetadata(options, { readsHeader, dpop })
  optionalFunction('ownClaims', options.ownClaims)
  const onError = optionalFunction('onError', options.onError) ?? (() => {})
  const { verify, keys } = prepareVerifier(options, tokenCache)
  return {
    verify,
    tokenCache,
    readsHeader,
    cookie: credentials === 'header' ? undefined : settleCookie(options),
    dpop,
    schemes: schemesOf(dpop),
    metadata,
    resourceMetadata: metadata?.url,
    clock: options.clock ?? Date.now,
    renew: optionalFunction('renew', options.renew) ?? (async () => ({ type: 'not-applicable' })),
    revocations: createRevocations(settleRevocations(options, { keys, onError })),
    onError,
  }
}

function schemesOf(dpop: DpopSettings | undefined): readonly TokenScheme[] {
  if (!dpop) return ['Bearer']
  return dpop.isRequired ? ['DPoP'] : ['Bearer', 'DPoP']
}

const sources: ReadonlySet<unknown> = new Set(['header', 'cookie', 'both'])

function canSetCookies({ issuer, accessCookie }: GuardOptions): boolean {
  if (accessCookie !== undefined) return true
  try {
    return cookieNames({ url: issuer }).access !== ''
  } catch {
    return false
  }
}

function prepareVerifier(
  options: GuardOptions,
  cache: Settings['tokenCache'],
): Pick<Settings, 'verify'> & { keys: KeySource | RemoteJwkSet } {
  const { issuer, audience = issuer, clock, clockTolerance, fetch } = options
  const rules = { issuer, audience, typ: 'at+jwt', requiredClaims, clock, clockTolerance, cache }
  const jwks = `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`
  try {
    const remote = { fetch, clock, cooldown: retryAfter }
    const discover = () =>
      options.discovery ? createDiscoveredJwkSet(issuer, remote) : createRemoteJwkSet(jwks, remote)
    const keys = options.keys ?? discover()
    const verify = isRemote(keys)
      ? createVerifier({ ...rules, keys, atOnce: true })
      : createVerifier({ ...rules, keys })
    return { verify, keys }
  } catch (cause) {
    if (!(cause instanceof JwtError)) throw cause
    throw invalid(cause.description, cause)
  }
}

function settleCache({ tokenCache = 10_000 }: GuardOptions): Settings['tokenCache'] {
  if (tokenCache === 0) return undefined
  if (Number.isSafeInteger(tokenCache) && tokenCache > 0) return { max: tokenCache }
  throw invalid('tokenCache must be a number of tokens, or 0.')
}

function settleCookie(options: GuardOptions): NonNullable<Settings['cookie']> {
  const { issuer, url = issuer, allowedOrigins = [], accessCookie } = options
  const name = accessCookie ?? cookieNames({ url: issuer }).access
  if (!cookieName.test(name)) throw invalid('accessCookie must be the name of a cookie.')
  for (const origin of allowedOrigins) {
    const right = originOf('allowedOrigins', origin)
    if (right !== origin) throw invalid(`allowedOrigins are compared to the letter: ${right}, not ${origin}.`)
  }
  return { name, ownOrigin: originOf('url', url), allowedOrigins }
}

/** RFC 6265 §4.1.1: a token of RFC 9110. */
const cookieName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

function optionalFunction<Wanted>(option: string, value: Wanted): Wanted {
  if (value === undefined || typeof value === 'function') return value
  throw invalid(`${option} must be a function.`)
}

function invalid(description: string, cause?: unknown): GuardError {
  return new GuardError('options_invalid', description, cause === undefined ? undefined : { cause })
}
