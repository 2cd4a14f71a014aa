import { usageError } from './command-error.ts'
import type { Io } from './io.ts'
import { readInput } from './read-input.ts'

/** The token that was given: as an argument, or on standard input, where the shell's history does not keep it. */
export async function readToken(command: string, word: string | undefined, { stdin }: Io): Promise<string> {
  if (word === undefined && stdin.isTTY)
    throw usageError(
      `mapae ${command} needs a TOKEN, as an argument or on standard input. See mapae ${command} --help.`,
    )
  const given = word === undefined || word === '-' ? await readInput(stdin) : word
  const token = given.trim().replace(/^(?:authorization:\s*)?(?:bearer|dpop)\s+/i, '')
  if (token === '') throw usageError(`mapae ${command} was given an empty token.`)
  return token
}
