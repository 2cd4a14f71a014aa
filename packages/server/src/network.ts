import { isIPv4, isIPv6 } from 'node:net'

/**
 * The network that an address belongs to, for a person's list of sessions: IPv4 by /24, IPv6 by /48.
 * Undefined for what is not an address.
 */
export function networkOf(address: string | undefined): string | undefined {
  const read = readAddress(address)
  if (!read) return undefined
  return 'ipv4' in read
    ? `${read.ipv4.split('.').slice(0, 3).join('.')}.0/24`
    : `${read.groups.slice(0, 3).join(':')}::/48`
}

/** The address in a hop of `X-Forwarded-For`, which some proxies write with a port. Undefined for what is none. */
export function addressOf(hop: string | undefined): string | undefined {
  const plain = hop?.replace(/^\[(.*)\](?::\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1')
  return readAddress(plain) && plain
}

/** What one customer of a network has at least: an IPv4 address, or an IPv6 /64. Undefined for what is no address. */
export function lineOf(address: string | undefined): string | undefined {
  const read = readAddress(address)
  if (!read) return undefined
  return 'ipv4' in read ? read.ipv4 : `${read.groups.slice(0, 4).join(':')}::/64`
}

type Address = { readonly ipv4: string } | { readonly groups: readonly string[] }

/** An address; an IPv4-mapped one (RFC 4291 §2.5.5.2) is the IPv4 address in it. */
function readAddress(address: string | undefined): Address | undefined {
  const plain = address?.split('%')[0] ?? ''
  if (isIPv4(plain)) return { ipv4: plain }
  if (!isIPv6(plain)) return undefined
  const groups = expand(plain)
  const isMapped = groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff'
  return isMapped ? { ipv4: dotted(groups.slice(6)) } : { groups }
}

/** The eight groups of an IPv6 address, however it was written. */
function expand(address: string): readonly string[] {
  const [head = '', tail] = address.split('::')
  const left = groupsOf(head)
  const right = groupsOf(tail ?? '')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right]
}

function groupsOf(part: string): readonly string[] {
  const groups = part.split(':').filter(Boolean)
  return groups.flatMap((group) =>
    isIPv4(group) ? undotted(group) : Number.parseInt(group, 16).toString(16),
  )
}

function undotted(ipv4: string): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number)
  return [a * 256 + b, c * 256 + d].map((group) => group.toString(16))
}

function dotted(groups: readonly string[]): string {
  return groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.')
}
