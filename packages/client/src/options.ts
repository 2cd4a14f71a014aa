import { type Clock, systemClock } from './clock.ts'
import { MapaeError } from './mapae-error.ts'
import type { Store } from './store.ts'

/** What `createClient` takes. Only `url` is required. */
export interface ClientOptions {
  /** The auth server's origin, such as `https://auth.example.com`. */
  readonly url: string
  /**
   * How tokens reach this device. `cookie`: in HttpOnly cookies, where no script can read them; for pages of the auth server's
   * own site. `header`: in the answer, kept in `store`; for everything else. @default 'cookie' in a page, else 'header'
   */
  readonly delivery?: 'cookie' | 'header'
  /**
   * What is kept between calls, and where. With cookie delivery there is no token in it. @default IndexedDB with cookie
   * delivery, memory with header delivery
   */
  readonly store?: Store
  /**
   * Origins that may get the access token, beside the auth server's and the page's own; no other request goes out.
   * @default []
   */
  readonly apis?: readonly string[]
  /** Bytes of a request's body that are held to send it again, where it can be read only once. @default 1_048_576 */
  readonly bufferLimit?: number
  /**
   * Take sessions that are not bound to a key of this device (DPoP, RFC 9449), with header delivery: a copied refresh token is
   * then worth as much as the original. @default false: bound wherever there is Web Crypto and the store can keep a key
   */
  readonly dangerouslyUnbound?: boolean
  /** Let tokens travel over plain http to hosts other than localhost, where they can be read. @default false */
  readonly dangerouslyAllowHttp?: boolean
  /** @default globalThis.fetch */
  readonly fetch?: (input: string, init?: RequestInit) => Promise<Response>
  /** @default the system's */
  readonly clock?: Clock
  /** From 0 up to 1, for jitter only: what must not be guessed comes from Web Crypto. @default Math.random */
  readonly random?: () => number
  /** The origin of the page. @default `location.origin`, where there is one */
  readonly pageOrigin?: string
}

/** The options, checked, with what every part needs filled in. */
export interface Settings extends ClientOptions {
  readonly delivery: 'cookie' | 'header'
  /** Who may get the access token. */
  readonly targets: ReadonlySet<string>
  readonly fetch: (input: string, init?: RequestInit) => Promise<Response>
  readonly clock: Clock
  readonly random: () => number
}

/** Checks once, when the client is made. Throws `MapaeError` `options_invalid` with one clear sentence. */
export function parseOptions(options: ClientOptions): Settings {
  const { apis = [], dangerouslyAllowHttp } = options
  const origin = (name: string, text: string): string => {
    let url: URL | undefined
    try {
      url = new URL(text) // React Native has no `URL.canParse`
    } catch {}
    if (url?.href !== `${url?.origin}/`) throw bad(name, 'must be an origin')
    if (url.protocol !== 'https:' && !dangerouslyAllowHttp && !isLoopback.test(url.hostname))
      throw bad(name, 'must be https')
    return url.origin
  }
  const url = origin('url', options.url)
  const page = options.pageOrigin ?? locationOrigin()
  const pageOrigin = page && origin('pageOrigin', page)
  const { delivery = pageOrigin ? 'cookie' : 'header' } = options
  if (delivery === 'cookie' && !pageOrigin) throw bad('delivery', 'needs a page')
  return {
    ...options,
    url,
    delivery,
    ...(pageOrigin && { pageOrigin }),
    targets: new Set([url, pageOrigin ?? url, ...apis.map((api) => origin('apis', api))]),
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  }
}

/** Where the code runs in a page or in a worker of one; the location that Expo gives to an app is no page's. */
function locationOrigin(): string | undefined {
  const origin: string | undefined = globalThis.location?.origin
  return globalThis.navigator?.product !== 'ReactNative' && origin?.startsWith('http') ? origin : undefined
}

const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\]|.+\.localhost)$/

function bad(name: string, problem: string): MapaeError {
  return new MapaeError('options_invalid', `The option ${name} ${problem}.`)
}
