import type { BoundKeys } from './bound-keys.ts'
import { MapaeError } from './mapae-error.ts'
import type { Settings } from './options.ts'
import { randomId } from './random-id.ts'
import type { KeyStore } from './store.ts'
import { parseMembers, textOf } from './wire.ts'

interface Key {
  readonly sign: CryptoKey
  /** As it goes into the header of a proof. */
  readonly jwk: { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
}

/** RFC 7518 §3.4: the signature of Web Crypto is the one of a JWS. */
const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** `now`: milliseconds since 1970, for the proofs. */
export function createBoundKeys({ fetch }: Settings, store: KeyStore, now: () => number): BoundKeys {
  const keys = new Map<string, Key>()
  /** The newest nonce of each origin (RFC 9449 §8.2). */
  const nonces = new Map<string, string>()

  /** The hash of the access token that was used last: many requests go with one. */
  let hashed: { readonly access: string; readonly hash: Promise<string> } | undefined
  const hashOf = (access: string): Promise<string> => {
    if (hashed?.access !== access) hashed = { access, hash: sha256(access) }
    return hashed.hash
  }

  const find = async (thumbprint: string): Promise<Key | undefined> => {
    const known = keys.get(thumbprint)
    if (known) return known
    const pair = await store.read(thumbprint)
    const key = pair && (await keyOf(pair))
    if (key) keys.set(thumbprint, key)
    return key
  }
  const need = async (thumbprint: string): Promise<Key> => {
    const key = await find(thumbprint)
    if (key) return key
    throw new MapaeError('session_ended', 'The key of the session is gone.', { endReason: 'key_lost' })
  }
  return {
    make: async () => {
      const pair = await crypto.subtle.generateKey(ES256, false, ['sign', 'verify'])
      const key = await keyOf(pair)
      const thumbprint = await thumbprintOf(key.jwk)
      await store.write(thumbprint, pair)
      keys.set(thumbprint, key)
      return thumbprint
    },
    has: async (thumbprint) => (await find(thumbprint)) !== undefined,
    forget: async (thumbprint) => {
      keys.delete(thumbprint)
      await store.remove(thumbprint)
    },
    prove: async (thumbprint, url, access) => {
      const nonce = nonces.get(new URL(url).origin)
      return proof(await need(thumbprint), { method: 'GET', url, access, nonce, hashOf }, now())
    },
    send: async (thumbprint, url, init, access) => {
      const key = await need(thumbprint)
      const { origin } = new URL(url)
      const once = async (target: string): Promise<Response> => {
        const headers = new Headers(init.headers)
        if (access !== undefined) headers.set('authorization', `DPoP ${access}`)
        const about = { method: init.method ?? 'GET', url: target, access, nonce: nonces.get(origin), hashOf }
        headers.set('dpop', await proof(key, about, now()))
        const response = await fetch(target, { ...init, headers })
        const nonce = response.headers.get('dpop-nonce')
        if (nonce !== null) nonces.set(origin, nonce)
        return response
      }
      const twice = async (target: string): Promise<Response> => {
        const used = nonces.get(origin)
        const response = await once(target)
        const refused = response.redirected ? undefined : await refusedFor(response)
        const isWorthIt = refused === 'nonce' ? nonces.get(origin) !== used : refused && isRepeatable(init)
        if (!isWorthIt) return response
        await response.body?.cancel()
        return once(target)
      }
      const response = await twice(url)
      const target = await redirectedTo(response, url, init.method)
      if (target === undefined) return response
      await response.body?.cancel()
      return twice(target)
    },
  }
}

/**
 * Where a redirect within the origin led a request that was then refused: its proof names the address that it was made for (RFC 9449 §4.2), and
 * `fetch` takes it along. What is read is read there. Whether anything else was done nobody can tell from here, so that throws `redirected`.
 */
async function redirectedTo(response: Response, url: string, method = 'GET'): Promise<string | undefined> {
  if (!response.redirected || !(await refusedFor(response))) return undefined
  const [from, to] = [new URL(url), new URL(response.url)]
  if (to.origin !== from.origin) return undefined
  if (/^(GET|HEAD)$/.test(method)) return to.href
  const text = `${method} ${from.pathname} was redirected to ${to.pathname}, where its proof is no good: send it there.`
  throw new MapaeError('redirected', text)
}

/**
 * Seconds. The server's time was told while its answer was under way, so that it is known too late rather than too early; and a guard forgives
 * a proof that is a little old sooner than one from the future.
 */
const LATE = 5

/** RFC 9449 §4.2. */
async function proof(
  { sign, jwk }: Key,
  about: {
    readonly method: string
    readonly url: string
    readonly access: string | undefined
    readonly nonce: string | undefined
    readonly hashOf: (access: string) => Promise<string>
  },
  now: number,
): Promise<string> {
  const { origin, pathname } = new URL(about.url)
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk }
  const claims = {
    jti: randomId(),
    htm: about.method,
    htu: origin + pathname,
    iat: Math.floor(now / 1000) - LATE,
    ...(about.access !== undefined && { ath: await about.hashOf(about.access) }),
    ...(about.nonce !== undefined && { nonce: about.nonce }),
  }
  const input = `${encode(header)}.${encode(claims)}`
  const signature = await crypto.subtle.sign(ES256, sign, utf8.encode(input))
  return `${input}.${base64url(new Uint8Array(signature))}`
}

/**
 * What is wrong with a proof, if that is what an answer says (RFC 9449 §8, §9): 400 where tokens are handed out, 401 where one is
 * presented.
 */
async function refusedFor(response: Response): Promise<'nonce' | 'proof' | undefined> {
  const { status } = response
  if (status !== 400 && status !== 401) return undefined
  const challenge = response.headers.get('www-authenticate') ?? ''
  const says = status === 401 ? challenge : textOf(parseMembers(await response.clone().text())['code'])
  // A challenge that CORS keeps from this page may be that one, when a new nonce came along.
  if (says === '' || says?.includes('use_dpop_nonce')) return 'nonce'
  return says?.includes('invalid_dpop_proof') ? 'proof' : undefined
}

/**
 * A proof works once. When something on the way sends a request twice, the answer to the second says that its proof is used up:
 * then another proof is made, for what may be done twice.
 */
function isRepeatable({ method = 'GET', headers }: RequestInit): boolean {
  return /^(GET|HEAD|OPTIONS)$/.test(method) || new Headers(headers).has('idempotency-key')
}

async function keyOf({ privateKey, publicKey }: CryptoKeyPair): Promise<Key> {
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', publicKey)
  return { sign: privateKey, jwk: { kty: 'EC', crv: 'P-256', x, y } }
}

/** RFC 7638 §3: the required members in the order of their names. */
function thumbprintOf({ crv, kty, x, y }: Key['jwk']): Promise<string> {
  return sha256(JSON.stringify({ crv, kty, x, y }))
}

const utf8 = new TextEncoder()

async function sha256(text: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8.encode(text))))
}

/** RFC 7515 §2. */
function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

function encode(value: unknown): string {
  return base64url(utf8.encode(JSON.stringify(value)))
}
