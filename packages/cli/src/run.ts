import type { Command } from './command.ts'
import { CommandError, usageError } from './command-error.ts'
import { commands } from './commands.ts'
import { overview } from './help.ts'
import { type Io, processIo } from './io.ts'
import { nearest } from './nearest.ts'
import { printable } from './printable.ts'
import { version } from './version.ts'

/**
 * Runs the command `mapae` with these arguments and resolves to its exit code; for `start` that is when the server has
 * ended. What cannot be done is told on standard error in one sentence. Rejects only for a mistake of ours.
 */
export async function run(argv: readonly string[], io: Io = processIo()): Promise<number> {
  try {
    return await dispatch(argv, io)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    io.stderr.write(`${printable(error.message)}\n`)
    return error.exitCode
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const [first] = argv
  if (first === undefined || first === '--help' || first === '-h') return print(io, overview(commands))
  if (first === '--version' || first === '-V') return print(io, `${version()}\n`)
  if (first === 'help')
    return argv.length === 1 ? dispatch(['--help'], io) : dispatch([...argv.slice(1), '--help'], io)

  const command = commands.find(({ name }) => isCalled(name, argv))
  if (command) return command.run(argv.slice(command.name.split(' ').length), io)
  return group(argv, io)
}

function isCalled(name: string, argv: readonly string[]): boolean {
  return name.split(' ').every((word, index) => argv[index] === word)
}

/** `mapae token` alone, or a word that names no command. */
function group(argv: readonly string[], io: Io): number {
  const [first = '', second] = argv
  const members = commands.filter(({ name }) => name.startsWith(`${first} `))
  if (members.length === 0) throw unknown(first, [...new Set(commands.map(({ name }) => firstWord(name)))])
  if (second === '--help' || second === '-h') return print(io, overview(members))
  const rest = members.map(({ name }) => name.slice(first.length + 1))
  if (second !== undefined && !second.startsWith('-'))
    throw unknown(`${first} ${second}`, memberNames(members))
  throw usageError(`mapae ${first} needs to know what to do: ${rest.join(', ')}. See mapae ${first} --help.`)
}

function unknown(typed: string, names: readonly string[]): CommandError {
  const near = nearest(typed, names)
  return usageError(
    `There is no command "${typed}"; ${near ? `did you mean mapae ${near}?` : 'see mapae --help.'}`,
  )
}

function memberNames(members: readonly Command[]): readonly string[] {
  return members.map(({ name }) => name)
}

function firstWord(name: string): string {
  return name.split(' ')[0] ?? name
}

function print(io: Io, text: string): number {
  io.stdout.write(text)
  return 0
}
