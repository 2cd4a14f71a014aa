import { explainJwt, type JwtExplanation } from '@mapae/jwt/explain'
import { CommandError, usageError } from './command-error.ts'
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
  if (token.startsWith('mrt_'))
    throw new CommandError(
      'This is a refresh token: it is opaque, and says nothing to anyone but its server.',
    )
  return token
}

/** A token taken apart; `clock` gives the milliseconds of the moment at which it is looked at. Refuses what is no JWT. */
export function explainToken(token: string, clock: () => number): JwtExplanation {
  const explained = explainJwt(token, { clock })
  if (explained.form !== 'unknown' && explained.header) return explained
  const why = explained.problems.find(({ where }) => where !== 'signature')
  throw new CommandError(`This is no JWT. ${why?.description ?? ''}`.trim())
}
