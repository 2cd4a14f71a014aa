import { GuardError } from '../guard-error.ts'
import { isLoopback } from '../loopback.ts'

/** The names under which both tokens travel in cookies. */
export type CookieNames = { readonly access: string; readonly refresh: string }

/**
 * The cookie names of an auth server, from its configured public URL and never from a request.
 *
 * Over https `__Host-` makes browsers hold them to Secure, `Path=/` and the one host (RFC 6265bis §4.1.3.2). Over http
 * on a loopback host the port is in the name, because cookies do not tell ports apart.
 *
 * @throws GuardError `options_invalid` for http on any other host, another scheme, or what is no URL.
 */
export function cookieNames(options: { readonly url: string | URL }): CookieNames {
  const url = parse(options.url)
  if (url.protocol === 'https:') return { access: '__Host-mapae_access', refresh: '__Host-mapae_refresh' }
  if (url.protocol !== 'http:' || !isLoopback(url.hostname)) {
    throw new GuardError('options_invalid', 'Cookies need an https URL; http is taken for localhost only.')
  }
  const port = url.port === '' ? '80' : url.port
  return { access: `mapae_access_${port}`, refresh: `mapae_refresh_${port}` }
}

function parse(url: string | URL): URL {
  try {
    return new URL(url)
  } catch (cause) {
    throw new GuardError('options_invalid', 'The url must be an absolute URL.', { cause })
  }
}
