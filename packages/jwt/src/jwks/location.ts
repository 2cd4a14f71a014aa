import { lookup } from 'node:dns/promises'
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
  const address = hostOf(parsed)
  if (
    isIP(address) &&
    !isThisMachine(parsed) &&
    !policy.dangerouslyAllowPrivateAddresses &&
    isPrivate(address)
  ) {
    throw invalid('must not be a private address')
  }
  return parsed
}

/** Whether the name of the host stands for a private address now. Answers false for this machine, named as such. */
export async function resolvesToPrivate(url: URL): Promise<boolean> {
  if (isThisMachine(url)) return false
  const addresses = await lookup(hostOf(url), { all: true })
  return addresses.some(({ address }) => isPrivate(address))
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

function isThisMachine(url: URL): boolean {
  const host = hostOf(url)
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Addresses that are not on the public internet (RFC 6890), this machine among them. */
const PRIVATE = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(net, prefix, 'ipv4')
}
for (const [net, prefix] of [
  ['::', 127],
  ['64:ff9b:1::', 48],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  PRIVATE.addSubnet(net, prefix, 'ipv6')
}

function isPrivate(address: string): boolean {
  return PRIVATE.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
}

function invalid(why: string): JwtError {
  return new JwtError({ code: 'options_invalid', description: `The location of a key set ${why}.` })
}
