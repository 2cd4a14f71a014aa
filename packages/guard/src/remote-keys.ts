import type { KeySource, RemoteJwkSet } from '@mapae/jwt'

/** Whether keys can be fetched anew. */
export function isRemote(keys: KeySource | RemoteJwkSet): keys is RemoteJwkSet {
  return typeof keys === 'object' && 'refresh' in keys && typeof keys.refresh === 'function'
}
