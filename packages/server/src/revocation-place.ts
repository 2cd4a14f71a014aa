import { createHash } from 'node:crypto'
import { BEGINNING, type Place } from '@mapae/guard/revocations'
import type { NumberedRevocation } from './store/revocations.ts'

/**
 * The place of an entry in the feed. Its tag is made of all that the entry holds, the millisecond of its end among that: a database
 * that was restored, or a replica that took over without the last commits, gives its number to another entry, which has another tag.
 */
export function placeOf(entry: NumberedRevocation | undefined): Place {
  if (!entry) return BEGINNING
  const { seq, keyHash, epoch, expiresAt } = entry
  const hash = createHash('sha256').update(`${seq} ${keyHash} ${epoch} ${expiresAt}`)
  return { seq, tag: hash.digest('base64url').slice(0, 11) }
}
