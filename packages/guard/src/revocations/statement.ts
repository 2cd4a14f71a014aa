import { createHash } from 'node:crypto'
import type { JwtClaims, KeyQuery } from '@mapae/jwt'
import { markOf } from './mark.ts'
import { type Place, printPlace, readPlace } from './place.ts'
import { decodeRecords, EVERY_EPOCH, encodeRecords, type RevokedEntry } from './records.ts'

/**
 * What one security event token (SET, RFC 8417) of the feed states: that after the entry `prev`, up to the entry `upTo`, nothing was
 * revoked but this. So whoever is at `prev`, and holds everything up to there, is at `upTo` afterwards; whoever is not sees the gap.
 */
export type Statement = {
  readonly prev: Place
  readonly upTo: Place
  readonly says:
    | { readonly type: 'revoked'; readonly entries: Iterable<RevokedEntry> }
    | { readonly type: 'key_withdrawn'; readonly kid: string }
    /** Nothing is newer than `seq` at that moment (milliseconds), and these are the published keys. */
    | { readonly type: 'head'; readonly at: number; readonly keys: readonly Required<KeyQuery>[] }
    /** What follows begins at `upTo`, somewhat before `prev`: it was made for many. */
    | { readonly type: 'overlap' }
}

/** The `typ` of a SET (RFC 8417 §2.3). */
export const setType = 'secevent+jwt'

/** The members of `events` in a SET (RFC 8417 §2.2). */
export const eventTypes = {
  /** OpenID CAEP 1.0 §3.1, with `expires_at`, and `epoch` where it is about an account. */
  sessionRevoked: 'https://schemas.openid.net/secevent/caep/event-type/session-revoked',
  /** Many at once, as {@link encodeRecords} writes them: what a guard missed, or did not hear yet. */
  revocations: 'urn:mapae:secevent:revocations',
  keyWithdrawn: 'urn:mapae:secevent:key-withdrawn',
  overlap: 'urn:mapae:secevent:overlap',
  /** OpenID Shared Signals Framework 1.0 §8.1.4: the sender shows that the stream is alive. */
  verification: 'https://schemas.openid.net/secevent/ssf/event-type/verification',
} as const

/** The `aud` of the feed's tokens, from the issuer as its tokens name it: they are good for nothing else. */
export function feedAudience(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/revocations`
}

/** The claims of the SET that states this, but for `iss`, `aud`, `iat` and `jti`. SETs have no `sub` and no `exp` (SSF 1.0 §4.1). */
export function claimsOf({ prev, upTo, says }: Statement & WrittenStatement, issuer: string): JwtClaims {
  const position = { prev: prev.seq, prev_tag: prev.tag, seq: upTo.seq, tag: upTo.tag }
  switch (says.type) {
    case 'revoked': {
      const [only, ...more] = says.entries
      return only && more.length === 0
        ? {
            ...position,
            sub_id: opaque(idOf(only)),
            events: { [eventTypes.sessionRevoked]: payloadOf(only) },
          }
        : {
            ...position,
            sub_id: opaque(issuer),
            events: { [eventTypes.revocations]: { entries: encodeRecords(says.entries) } },
          }
    }
    case 'key_withdrawn':
      return {
        ...position,
        sub_id: opaque(says.kid),
        events: { [eventTypes.keyWithdrawn]: { kid: says.kid } },
      }
    case 'head':
      return {
        ...position,
        sub_id: opaque(issuer),
        events: { [eventTypes.verification]: { as_of: says.at, keys: says.keys } },
      }
    case 'overlap':
      return { ...position, sub_id: opaque(issuer), events: { [eventTypes.overlap]: {} } }
  }
}

/** What a sender states has its entries in a list. */
type WrittenStatement = {
  readonly says:
    | { readonly type: 'revoked'; readonly entries: readonly RevokedEntry[] }
    | Exclude<Statement['says'], { type: 'revoked' }>
}

/** Reads the claims of a verified SET; undefined for what is none of the feed's, such as an event of a later version. */
export function readStatement(claims: JwtClaims): Statement | undefined {
  const { events, sub_id } = claims
  const prev = placeOf(claims['prev'], claims['prev_tag'])
  const upTo = placeOf(claims['seq'], claims['tag'])
  const says = isRecord(events) ? readEvents(events, sub_id) : undefined
  if (!prev || !upTo || !says) return undefined
  const isForward = prev.seq <= upTo.seq
  return isForward === (says.type !== 'overlap') ? { prev, upTo, says } : undefined
}

/** Servers of the first version give no tag. */
function placeOf(seq: unknown, tag: unknown = ''): Place | undefined {
  return isCount(seq) && typeof tag === 'string' ? readPlace(printPlace({ seq, tag })) : undefined
}

/** Names the keys of a set in a few characters, for both sides to compare. */
export function keySetVersion(keys: readonly Required<KeyQuery>[]): string {
  const names = keys.map(({ kid, alg }) => `${alg} ${kid}`).sort()
  return createHash('sha256').update(names.join('\n')).digest('base64url').slice(0, 11)
}

function readEvents(
  events: Readonly<Record<string, unknown>>,
  subject: unknown,
): Statement['says'] | undefined {
  const revoked = events[eventTypes.sessionRevoked]
  if (isRecord(revoked)) return readRevoked(revoked, subject)
  const list = events[eventTypes.revocations]
  if (isRecord(list)) return readList(list)
  const withdrawn = events[eventTypes.keyWithdrawn]
  if (isRecord(withdrawn)) return readWithdrawn(withdrawn)
  const head = events[eventTypes.verification]
  if (isRecord(head)) return readHead(head)
  return isRecord(events[eventTypes.overlap]) ? { type: 'overlap' } : undefined
}

function readRevoked(
  { epoch = EVERY_EPOCH, expires_at: expiresAt }: Readonly<Record<string, unknown>>,
  subject: unknown,
): Statement['says'] | undefined {
  const id = isRecord(subject) && subject['format'] === 'opaque' ? subject['id'] : undefined
  const hash = Buffer.from(typeof id === 'string' ? id : '', 'base64url').toString('hex')
  if (hash.length !== 16 || !isWord(epoch) || !isWord(expiresAt)) return undefined
  return { type: 'revoked', entries: [{ ...markOf(hash), epoch, expiresAt }] }
}

function readList({ entries }: Readonly<Record<string, unknown>>): Statement['says'] | undefined {
  const records = typeof entries === 'string' ? decodeRecords(entries) : undefined
  return records && { type: 'revoked', entries: records }
}

function readWithdrawn({ kid }: Readonly<Record<string, unknown>>): Statement['says'] | undefined {
  return typeof kid === 'string' ? { type: 'key_withdrawn', kid } : undefined
}

function readHead({ as_of: at, keys }: Readonly<Record<string, unknown>>): Statement['says'] | undefined {
  if (!isCount(at) || !Array.isArray(keys)) return undefined
  const named = keys.flatMap((key: unknown) => {
    const [kid, alg] = isRecord(key) ? [key['kid'], key['alg']] : []
    return typeof kid === 'string' && typeof alg === 'string' ? [{ kid, alg }] : []
  })
  return { type: 'head', at, keys: named }
}

function payloadOf({ epoch, expiresAt }: RevokedEntry): object {
  return { ...(epoch !== EVERY_EPOCH && { epoch }), expires_at: expiresAt }
}

/** RFC 9493 §3.2.6: an identifier without a meaning of its own. */
function opaque(id: string): object {
  return { format: 'opaque', id }
}

function idOf({ high, low }: RevokedEntry): string {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeUInt32BE(high, 0)
  bytes.writeUInt32BE(low, 4)
  return bytes.toString('base64url')
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isWord(value: unknown): value is number {
  return isCount(value) && value <= 0xffffffff
}
