/** Whether a URL's host is this machine and nothing else (RFC 6761 §6.3, RFC 8252 §8.3). */
export function isLoopback(url: URL): boolean {
  return names.has(url.hostname) || url.hostname.endsWith('.localhost')
}

const names: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])
