import { JwtError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { download, type Get } from './download.ts'
import { httpGet } from './http-get.ts'
import { checkLocation, isThisMachine, prepareAddressCheck } from './location.ts'
import { createRemoteJwkSet, type RemoteJwkSetOptions } from './remote.ts'
import type { KeyQuery, RemoteJwkSet } from './set.ts'

/**
 * The key set of an issuer whose address the issuer's metadata tell: OpenID Connect Discovery 1.0 §4, or else RFC 8414 §3. The
 * metadata are fetched when keys are first needed, under the same rules as the set (see {@link createRemoteJwkSet}), and again
 * when the set at the address that they told cannot be had.
 *
 * They must name the issuer to the letter (RFC 8414 §3.3), and their `jwks_uri` is held to the rules for key sets; only an issuer
 * on this machine may point at this machine. Else `jwks_invalid`; `jwks_unavailable` when neither document can be had.
 * Throws `options_invalid`.
 */
export function createDiscoveredJwkSet(issuer: string, options: RemoteJwkSetOptions = {}): RemoteJwkSet {
  createRemoteJwkSet(issuer, options) // refuses wrong options at once
  const { clock = Date.now, cooldown = 30 } = options
  const discover = prepareDiscovery(issuer, options)
  let found: { readonly uri: string; readonly set: RemoteJwkSet } | undefined
  let isCurrent = false
  let failure: { readonly error: unknown; readonly at: number } | undefined
  let underway: Promise<RemoteJwkSet> | undefined

  async function load(): Promise<RemoteJwkSet> {
    try {
      const uri = await discover()
      const set = found?.uri === uri ? found.set : createRemoteJwkSet(uri, options)
      found = { uri, set }
      isCurrent = true
      failure = undefined
      return set
    } catch (error) {
      failure = { error, at: clock() }
      throw error
    }
  }

  async function locate(): Promise<RemoteJwkSet> {
    if (found && isCurrent) return found.set
    if (failure && isRecent(clock() - failure.at, cooldown)) throw failure.error
    underway ??= load().finally(() => {
      underway = undefined
    })
    return underway
  }

  async function refresh(header?: KeyQuery): Promise<void> {
    const set = await locate()
    try {
      await set.refresh(header)
    } catch (error) {
      isCurrent = false
      throw error
    }
  }

  return Object.freeze({ find: (header: KeyQuery) => found?.set.find(header), refresh })
}

/** Not so after the clock was set back. */
function isRecent(milliseconds: number, cooldown: number): boolean {
  return milliseconds >= 0 && milliseconds < cooldown * 1000
}

/** Finds the `jwks_uri` of the metadata. */
function prepareDiscovery(issuer: string, options: RemoteJwkSetOptions): () => Promise<string> {
  const url = new URL(issuer)
  const get: Get = options.fetch ?? httpGet(prepareAddressCheck(url, options))
  const { timeout = 5, maxBytes = 262_144 } = options
  const fetched = (location: URL) => download({ url: location, get, timeout, maxBytes })
  const [first, second] = metadataLocations(url)
  return async () => {
    const { body } = await fetched(first)
      .catch(() => fetched(second))
      .catch(unavailable)
    const uri = keySetUri(body, issuer)
    const location = locationOf(uri, options)
    if (isThisMachine(location) && !isThisMachine(url)) throw invalid('point at the keys of this machine')
    return uri
  }
}

/** OpenID Connect puts its well-known path behind that of the issuer, RFC 8414 §3.1 in front of it. */
function metadataLocations({ origin, pathname }: URL): readonly [URL, URL] {
  const path = pathname.replace(/\/$/, '')
  return [
    new URL(`${origin}${path}/.well-known/openid-configuration`),
    new URL(`${origin}/.well-known/oauth-authorization-server${path}`),
  ]
}

function keySetUri({ issuer: named, jwks_uri: uri }: JsonObject, issuer: string): string {
  if (named !== issuer) throw invalid('are those of another issuer')
  if (typeof uri !== 'string') throw invalid('name no key set')
  return uri
}

function locationOf(uri: string, options: RemoteJwkSetOptions): URL {
  try {
    return checkLocation(uri, options)
  } catch (cause) {
    throw invalid('name a key set at an address that is not allowed', cause)
  }
}

function unavailable(cause: unknown): never {
  const description = 'The metadata of the issuer could not be had.'
  throw new JwtError({ code: 'jwks_unavailable', description, cause })
}

function invalid(why: string, cause?: unknown): JwtError {
  return new JwtError({ code: 'jwks_invalid', description: `The metadata of the issuer ${why}.`, cause })
}
