import type { Flags } from './flags.ts'

/** What a command is, for the table of commands and its help. */
export interface CommandFacts {
  /** Such as `start` or `token decode`. */
  readonly name: string
  /** One line, for the list of commands. */
  readonly summary: string
  /** What stands behind the name, such as `[TOKEN]`; the words that it takes, at least and at most. */
  readonly words?: { readonly usage: string; readonly least: number; readonly most: number }
  readonly flags: Flags
  /** Paragraphs below the flags. */
  readonly notes?: readonly string[]
  readonly examples?: readonly string[]
  /** What the exit codes 0 and 1 stand for, where they are an answer. */
  readonly outcomes?: { readonly done?: string; readonly failed?: string }
}
