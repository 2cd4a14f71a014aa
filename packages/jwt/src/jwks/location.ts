import { BlockList, isIP } from 'node:net'
import { JwtError } from '../errors.ts'

export interface LocationPolicy {
  /** Fetch over plain http from hosts other than this machine. @default false */
  readonly dangerouslyAllowHttp?: boolean | undefined
  /** Fetch from private and link-local addresses. @default false */
  readonly dangerouslyAllowPrivateAddresses?: boolean | undefined
}

/**
 * The URL of a key set. Refuses with `options_invalid`: anything but https (http on this machine only), user names in it,
 * and private addresses, unless waived by name.
 */
export function checkLocation(url: string | URL, policy: LocationPolicy): URL {
  const parsed = parse(url)
  if (parsed.username || parsed.password) throw invalid('must not hold a user name or password')
  const isHttp = parsed.protocol === 'http:'
  if (!isHttp && parsed.protocol !== 'https:') throw invalid('must be an https URL')
  if (isHttp && !isThisMachine(parsed) && !policy.dangerouslyAllowHttp) throw invalid('must be an https URL')
  const host = hostOf(parsed)
  if (isIP(host) && prepareAddressCheck(parsed, policy)(host)) throw invalid('must not be a private address')
  return parsed
}

/** Which addresses must not be connected to: private ones, unless they are waived, or the URL names this very machine. */
export function prepareAddressCheck(url: URL, policy: LocationPolicy): (address: string) => boolean {
  const isFree = policy.dangerouslyAllowPrivateAddresses === true || isThisMachine(url)
  return isFree ? () => false : isPrivate
}

function parse(url: string | URL): URL {
  try {
    return new URL(url)
  } catch {
    throw invalid('is not a URL')
  }
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

export function isThisMachine(url: URL): boolean {
  const host = hostOf(url)
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Addresses that are not on the public internet (RFC 6890 and what was registered since), this machine among them. */
const PRIVATE = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(net, prefix, 'ipv4')
  // The same behind the well-known prefix of NAT64 (RFC 6052 §3.1); BlockList sees through ::ffff:0:0/96 by itself.
  PRIVATE.addSubnet(`64:ff9b::${net}`, 96 + prefix, 'ipv6')
}
for (const [net, prefix] of [
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const) {
  PRIVATE.addSubnet(net, prefix, 'ipv6')
}

/** Takes an address as a look-up gives it, with a zone (`fe80::1%eth0`) or without; what is no address is private. */
function isPrivate(address: string): boolean {
  const [bare = ''] = address.split('%')
  const family = isIP(bare)
  return family === 0 || PRIVATE.check(bare, family === 4 ? 'ipv4' : 'ipv6')
}

function invalid(why: string): JwtError {
  return new JwtError({ code: 'options_invalid', description: `The location of a key set ${why}.` })
}
