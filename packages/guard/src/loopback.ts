/**
 * Whether a URL's host is this machine by its own name: `localhost` and all below it (RFC 6761 §6.3), `127.0.0.0/8` or `[::1]`
 * (RFC 8252 §8.3). What is sent there leaves no machine.
 */
export function isLoopback(hostname: string): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}
