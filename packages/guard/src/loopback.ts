/** Whether a URL's host is this machine by its own name: `localhost`, `127.0.0.0/8` or `[::1]` (RFC 8252 §8.3). */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(url.hostname)
}
