import { claimsOf, EVERY_EPOCH, feedAudience, markOf, type RevokedEntry } from '@mapae/guard/revocations'
import { seconds } from './clock.ts'
import type { Context } from './context.ts'
import { newId } from './new-id.ts'
import type { News } from './revocation-tail.ts'
import type { NumberedRevocation } from './store/revocations.ts'

/** A signed security event token of the feed, and how far whoever has it knows everything. */
export interface SignedSet {
  readonly seq: number
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
    const seq = index === groups.length - 1 ? upTo : (group.at(-1)?.seq ?? upTo)
    signed.push(await signSet(ctx, { prev, seq, says: saysOf(group) }))
    prev = seq
  }
  return signed
}

/** Signs that nothing is newer than `seq` as of a moment, in milliseconds, and which keys are published. */
export async function signHead(
  ctx: Context,
  { seq, asOf }: { seq: number; asOf: number },
): Promise<SignedSet> {
  const { keys } = await ctx.signingKeys.published()
  const named = keys.map(({ kid = '', alg = '' }) => ({ kid, alg }))
  return signSet(ctx, { prev: seq, seq, says: { type: 'head', at: asOf, keys: named } })
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
  return { seq: statement.seq, set }
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
