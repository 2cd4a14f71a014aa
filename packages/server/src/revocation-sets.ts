import {
  claimsOf,
  EVERY_EPOCH,
  feedAudience,
  markOf,
  type Place,
  type RevokedEntry,
} from '@mapae/guard/revocations'
import { seconds } from './clock.ts'
import type { Context } from './context.ts'
import { newId } from './new-id.ts'
import { placeOf } from './revocation-place.ts'
import type { Head, News } from './revocation-tail.ts'
import type { NumberedRevocation } from './store/revocations.ts'

/** A signed security event token of the feed, and where whoever has it is then. */
export interface SignedSet {
  readonly place: Place
  readonly set: string
}

/** So many revocations at once still go out one by one; more of them, such as "log out everywhere", as a list. */
const SINGLY = 10

/**
 * Signs news as security event tokens (RFC 8417), with the key that signs now. They follow each other without a gap from `after` to `upTo`,
 * and hold hashes alone: nobody learns from them who was logged out, or why.
 */
export async function signNews(ctx: Context, { after, upTo, rows }: News): Promise<readonly SignedSet[]> {
  // Never with a key whose withdrawal this tells of.
  if (rows.some(({ kid }) => kid !== null)) await ctx.signingKeys.list()
  const signed: SignedSet[] = []
  let prev = after
  const groups = groupsOf(rows)
  for (const [index, group] of groups.entries()) {
    const place = index === groups.length - 1 ? upTo : placeOf(group.at(-1))
    signed.push(await signSet(ctx, { prev, upTo: place, says: saysOf(group) }))
    prev = place
  }
  return signed
}

/** Signs that nothing is newer than a place as of a moment, in milliseconds, and which keys are published. */
export async function signHead(ctx: Context, { place, asOf }: Head): Promise<SignedSet> {
  const { keys } = await ctx.signingKeys.published()
  const named = keys.map(({ kid = '', alg = '' }) => ({ kid, alg }))
  return signSet(ctx, { prev: place, upTo: place, says: { type: 'head', at: asOf, keys: named } })
}

/** Signs, for who is at `from`, that what follows begins at a place before that. */
export function signOverlap(ctx: Context, { from, to }: { from: Place; to: Place }): Promise<SignedSet> {
  return signSet(ctx, { prev: from, upTo: to, says: { type: 'overlap' } })
}

async function signSet(ctx: Context, statement: Parameters<typeof claimsOf>[0]): Promise<SignedSet> {
  const { url } = ctx.settings
  const now = ctx.clock()
  const set = await ctx.signingKeys.signEvent({
    iss: url,
    aud: feedAudience(url),
    iat: seconds(now),
    jti: newId(now),
    ...claimsOf(statement, url),
  })
  return { place: statement.upTo, set }
}

/** What goes into a token together: a withdrawn key alone, and of the others one or, where there are many, all in a row. */
function groupsOf(rows: readonly NumberedRevocation[]): readonly (readonly NumberedRevocation[])[] {
  const groups: NumberedRevocation[][] = []
  const isFew = rows.length <= SINGLY
  for (const row of rows) {
    const last = groups.at(-1)
    if (!last || isFew || row.kid !== null || last[0]?.kid !== null) groups.push([row])
    else last.push(row)
  }
  return groups.length > 0 ? groups : [[]]
}

function saysOf(group: readonly NumberedRevocation[]): Parameters<typeof claimsOf>[0]['says'] {
  const [first] = group
  if (first && first.kid !== null) return { type: 'key_withdrawn', kid: first.kid }
  return { type: 'revoked', entries: group.map(entryOf) }
}

function entryOf({ keyHash, epoch, expiresAt }: NumberedRevocation): RevokedEntry {
  return {
    ...markOf(Buffer.from(keyHash, 'base64url').toString('hex')),
    epoch: epoch ?? EVERY_EPOCH,
    expiresAt: Math.ceil(expiresAt / 1000),
  }
}
