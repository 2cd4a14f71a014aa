import { isIP } from 'node:net'

export type SiteRelation = 'same-origin' | 'same-site' | 'cross-site'

/**
 * How browsers see two addresses (HTML §7.1.1, "schemefully same site"). Which part of a host is registered is decided by the
 * Public Suffix List, of which this knows the general shape and the best-known hosts of other people's pages only: good
 * enough for advice, and for nothing else.
 */
export function siteRelation(one: URL, other: URL): SiteRelation {
  if (one.origin === other.origin) return 'same-origin'
  return one.protocol === other.protocol && siteOf(one) === siteOf(other) ? 'same-site' : 'cross-site'
}

/** The registrable domain, or the whole host where there is none. */
function siteOf({ hostname }: URL): string {
  const labels = hostname.split('.')
  if (isIP(hostname) !== 0 || hostname.startsWith('[') || labels.length === 1) return hostname
  return labels.slice(-(suffixLength(labels) + 1)).join('.')
}

function suffixLength(labels: readonly string[]): number {
  if (SHARED_HOSTS.has(labels.slice(-2).join('.'))) return 2
  const [second = '', top = ''] = labels.slice(-2)
  return top.length === 2 && SECOND_LEVEL.has(second) ? 2 : 1
}

/** As in `co.kr`, `com.au` and `ac.uk`. */
const SECOND_LEVEL: ReadonlySet<string> = new Set(
  'ac co com edu go gob gov gouv ltd me mil ne net nom or org plc re sch'.split(' '),
)

/** Where each sub-domain belongs to somebody else. */
const SHARED_HOSTS: ReadonlySet<string> = new Set([
  'azurewebsites.net',
  'firebaseapp.com',
  'fly.dev',
  'github.io',
  'gitlab.io',
  'herokuapp.com',
  'netlify.app',
  'onrender.com',
  'pages.dev',
  'run.app',
  'vercel.app',
  'web.app',
  'workers.dev',
])
