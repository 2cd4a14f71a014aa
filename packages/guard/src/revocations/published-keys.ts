import { type OpenFeed, textOf } from './open-feed.ts'

/** The names of the keys that the issuer publishes, and the moment (milliseconds) as of which it does. */
export type PublishedKeys = { readonly kids: ReadonlySet<string>; readonly asOf: number }

/** Asks the issuer itself, past what caches keep where they heed that (RFC 9111 §5.2.1.4). Undefined: it does not say as of when. */
export type FetchPublishedKeys = (stopping: AbortSignal) => Promise<PublishedKeys | undefined>

export function prepareFetchPublishedKeys(issuer: string, open: OpenFeed): FetchPublishedKeys {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`
  const headers = { accept: 'application/jwk-set+json', 'cache-control': 'no-cache' }
  return async (stopping) => {
    const told = new AbortController()
    const signal = AbortSignal.any([stopping, told.signal, AbortSignal.timeout(TIMEOUT)])
    try {
      const { status, body } = await open(url, { headers, signal })
      return status === 200 ? read(JSON.parse(await textOf(body))) : undefined
    } finally {
      told.abort()
    }
  }
}

/** Milliseconds for the whole answer. */
const TIMEOUT = 10_000

/** RFC 7517 §5: a set may have members of its own; `as_of` is Mapae's. */
function read(set: unknown): PublishedKeys | undefined {
  if (typeof set !== 'object' || set === null || !('keys' in set) || !('as_of' in set)) return undefined
  const { keys, as_of: asOf } = set
  if (!Array.isArray(keys) || typeof asOf !== 'number') return undefined
  return { kids: new Set(keys.map((key: unknown) => kidOf(key))), asOf }
}

function kidOf(key: unknown): string {
  return typeof key === 'object' && key !== null && 'kid' in key ? String(key.kid) : ''
}
