import { usageError } from './command-error.ts'
import type { CommandFacts } from './command-facts.ts'
import { type Flags, type Parsed, parseFlags } from './flags.ts'
import { commandHelp } from './help.ts'
import type { Io } from './io.ts'

export interface Command extends CommandFacts {
  /** Does the work; what stands behind the name is `argv`. Resolves to the exit code. */
  run(argv: readonly string[], io: Io): Promise<number>
}

/** Makes a command: parses its flags and words first, and shows its help when asked. */
export function defineCommand<const F extends Flags>(
  command: CommandFacts & {
    readonly flags: F
    work(given: Parsed<F>, io: Io): Promise<number>
  },
): Command {
  const { work, ...facts } = command
  return {
    ...facts,
    async run(argv, io) {
      const given = parseFlags(facts.name, facts.flags, argv)
      if (given.help) {
        io.stdout.write(commandHelp(facts))
        return 0
      }
      refuseWrongCount(facts, given.words.length)
      return work(given, io)
    },
  }
}

function refuseWrongCount({ name, words }: CommandFacts, count: number): void {
  const { usage = '', least = 0, most = 0 } = words ?? {}
  if (count < least) throw usageError(`mapae ${name} needs ${usage}. See mapae ${name} --help.`)
  if (count > most)
    throw usageError(
      `mapae ${name} takes ${most === 0 ? 'no arguments' : `${usage}, nothing more`}. See mapae ${name} --help.`,
    )
}
