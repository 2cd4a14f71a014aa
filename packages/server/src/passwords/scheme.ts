/** One way to hash passwords, of another system: its formats, and what of them is taken. */
export interface Scheme {
  readonly name: string
  /** Undefined: the text is no hash of this scheme. */
  read(text: string): HashReading | undefined
}

export type HashReading =
  | ReadHash
  /** `reason` is a sentence for whoever imports it; nothing of the hash is in it. */
  | { readonly type: 'refused'; readonly reason: string }

export interface ReadHash {
  readonly type: 'hash'
  /** Whether it is the hash of these characters. Works on another thread, within the bounds of its scheme. */
  readonly verify: (password: string) => Promise<boolean>
  /** How many bytes of a password the scheme looks at, where it does not look at all of them. */
  readonly bytesThatCount?: number
}

export function refused(reason: string): HashReading {
  return { type: 'refused', reason }
}
