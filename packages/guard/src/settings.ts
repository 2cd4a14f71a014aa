import {
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
import type { Renew } from './renewal.ts'
import { createRevocations, type Revocations } from './revocations/revocations.ts'
import { settleRevocations } from './revocations/settings.ts'

/** The options of a guard, checked and prepared. */
export type Settings = {
  readonly verify: (token: string) => VerifiedJwt | Promise<VerifiedJwt>
  readonly readsHeader: boolean
  /** Nothing, where cookies do not count. */
  readonly cookie:
    | { readonly name: string; readonly ownOrigin: string; readonly allowedOrigins: readonly string[] }
    | undefined
  /** Nothing, where bound tokens are refused. */
  readonly dpop: DpopSettings | undefined
  /** How tokens may be presented. */
  readonly schemes: readonly TokenScheme[]
  readonly renew: Renew
  readonly revocations: Revocations
  readonly onError: (error: unknown) => void
}

/** Throws GuardError `options_invalid`, saying which option and why. */
export function settle(options: GuardOptions): Settings {
  if (typeof options?.issuer !== 'string' || options.issuer === '') throw invalid('issuer must be a URL.')
  const credentials = options.credentials ?? (canSetCookies(options) ? 'both' : 'header')
  if (!sources.has(credentials)) throw invalid("credentials must be 'header', 'cookie' or 'both'.")
  const dpop = settleDpop({ ...options, credentials })
  const onError = optionalFunction('onError', options.onError) ?? (() => {})
  const { verify, keys } = prepareVerifier(options)
  return {
    verify,
    readsHeader: credentials !== 'cookie',
    cookie: credentials === 'header' ? undefined : settleCookie(options),
    dpop,
    schemes: schemesOf(dpop),
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
): Pick<Settings, 'verify'> & { keys: KeySource | RemoteJwkSet } {
  const { issuer, audience = issuer, clock, clockTolerance, fetch } = options
  const rules = { issuer, audience, typ: 'at+jwt', requiredClaims, clock, clockTolerance }
  const jwks = `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`
  try {
    const keys = options.keys ?? createRemoteJwkSet(jwks, { fetch, clock, cooldown: retryAfter })
    const verify = isRemote(keys) ? createVerifier({ ...rules, keys }) : createVerifier({ ...rules, keys })
    return { verify, keys }
  } catch (cause) {
    if (!(cause instanceof JwtError)) throw cause
    throw invalid(cause.description, cause)
  }
}

function isRemote(keys: KeySource | RemoteJwkSet): keys is RemoteJwkSet {
  return typeof keys === 'object' && 'refresh' in keys && keys.refresh !== undefined
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
