import { JwtError } from '../errors.ts'
import type { KeySource, RemoteJwkSet } from '../jwks/set.ts'
import { readHeader } from './header.ts'

export function isRemote(keys: KeySource | RemoteJwkSet): keys is RemoteJwkSet {
  return 'refresh' in keys && typeof keys.refresh === 'function'
}

/** Tries with the keys that are cached; when none answers to the token, refreshes the set and tries once more. */
export function withRefresh<Verified>(
  verify: (token: string) => Verified,
  keys: RemoteJwkSet,
): (token: string) => Promise<Verified> {
  const verifySoon = atOnceOrRefreshed(verify, keys)
  return async (token) => verifySoon(token)
}

/** The same, with a promise only where the set is refreshed; before, what a promise would reject with is thrown. */
export function atOnceOrRefreshed<Verified>(
  verify: (token: string) => Verified,
  keys: RemoteJwkSet,
): (token: string) => Verified | Promise<Verified> {
  const verifyRefreshed = async (token: string): Promise<Verified> => {
    await keys.refresh(readHeader(token.slice(0, token.indexOf('.'))))
    return verify(token)
  }
  return (token) => {
    try {
      return verify(token)
    } catch (error) {
      if (!(error instanceof JwtError) || error.code !== 'key_not_found') throw error
      return verifyRefreshed(token)
    }
  }
}
