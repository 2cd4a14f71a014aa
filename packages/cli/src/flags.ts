import { type ParseArgsConfig, parseArgs } from 'node:util'
import { CommandError } from './command-error.ts'
import { nearest } from './nearest.ts'

/** A flag without a value. */
export interface Switch {
  readonly help: string
}

/** A flag with a value; `value` is its placeholder in the help, such as `port`. */
export interface ValueFlag extends Switch {
  readonly value: string
}

/** One that may be given several times. */
export interface ManyFlag extends ValueFlag {
  readonly many: true
}

/** The flags of a command, for the parser and for its help. */
export type Flags = Readonly<Record<string, Switch & { readonly value?: string; readonly many?: true }>>

export type FlagValues<F extends Flags> = {
  readonly [Name in keyof F]?: F[Name] extends { value: string }
    ? F[Name] extends { many: true }
      ? readonly string[]
      : string
    : boolean
}

export interface Parsed<F extends Flags> {
  readonly flags: FlagValues<F>
  readonly words: readonly string[]
}

/** Every command has these. */
const COMMON: Flags = { help: { help: 'Show this help' } }

/** Sorts what stands behind a command's name into flags and words; refuses a flag that is not one, in a sentence. */
export function parseFlags<const F extends Flags>(
  command: string,
  flags: F,
  argv: readonly string[],
): Parsed<F> & { readonly help: boolean } {
  const known = { ...flags, ...COMMON }
  try {
    const { values, positionals } = parseArgs({
      args: idsLast(argv),
      options: Object.fromEntries(
        Object.entries(known).map(([name, flag]) => [name, parserOption(name, flag)]),
      ),
      strict: true,
      allowPositionals: true,
    })
    return { flags: asFlagValues(values), words: positionals, help: values['help'] === true }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new CommandError(`${sentence(command, known, error)} See mapae ${command} --help.`)
  }
}

/** The id of a key is base64url and may begin with a hyphen, which makes no option of it. */
function idsLast(argv: readonly string[]): string[] {
  const ids = argv.filter((word) => /^-[\w-]{42}$/.test(word))
  if (ids.length === 0 || argv.includes('--')) return [...argv]
  return [...argv.filter((word) => !ids.includes(word)), '--', ...ids]
}

/** `parseArgs` was given these very flags, so its values have their types. */
function asFlagValues<F extends Flags>(values: object): FlagValues<F> {
  return values as FlagValues<F>
}

function parserOption(
  name: string,
  { value, many }: Flags[string],
): NonNullable<ParseArgsConfig['options']>[string] {
  return {
    type: value === undefined ? 'boolean' : 'string',
    multiple: many === true,
    ...(name === 'help' && { short: 'h' }),
  }
}

/** Node's own messages run to three lines of advice. */
function sentence(command: string, flags: Flags, error: TypeError): string {
  const given = /'(--?[^' =<]+)/.exec(error.message)?.[1] ?? 'given'
  const name = /--([\w-]+)/.exec(error.message)?.[1] ?? ''
  if (Reflect.get(error, 'code') === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const near = nearest(given.replace(/^-+/, ''), Object.keys(flags))
    return `mapae ${command} has no option ${given}${near ? `; did you mean --${near}?` : '.'}`
  }
  return flags[name]?.value === undefined
    ? `The option --${name} takes no value.`
    : `The option --${name} needs a value: --${name}=<${flags[name].value}>.`
}
