/**
 * A place in a feed: an entry, by its number and by a few characters of its own. A database that was restored gives the same numbers
 * again, and other characters.
 */
export type Place = { readonly seq: number; readonly tag: string }

/** Before the first entry: whoever takes all that follows it misses nothing. */
export const BEGINNING: Place = { seq: 0, tag: '' }

export function isSamePlace(one: Place, other: Place): boolean {
  return one.seq === other.seq && one.tag === other.tag
}

/** `42.q83vEjRWeJo`, as the stream's events are numbered and `since` takes it. */
export function printPlace({ seq, tag }: Place): string {
  return tag === '' ? `${seq}` : `${seq}.${tag}`
}

/** The reverse, for a bare number as well; undefined for what is neither. */
export function readPlace(text: string): Place | undefined {
  const [, seq, tag = ''] = /^(\d{1,15})(?:\.([\w-]{11}))?$/.exec(text) ?? []
  return seq === undefined ? undefined : { seq: Number(seq), tag }
}
