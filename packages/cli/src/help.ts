import { columns } from './columns.ts'
import type { CommandFacts } from './command-facts.ts'
import { hanging, wrapped } from './wrapped.ts'

/** Columns of a terminal that a page of help takes at most, beside the indent of a section. */
const WIDTH = 98

/** The help of the whole command. */
export function overview(commands: readonly CommandFacts[]): string {
  return page(
    'Mapae 마패: run and look after the auth server',
    section('Usage', ['mapae <command> [options]']),
    section(
      'Commands',
      hanging(
        commands.map(({ name, summary }) => [name, summary]),
        WIDTH,
      ),
    ),
    section('Settings', [
      'Flags win over the environment (MAPAE_URL, MAPAE_SECRET, MAPAE_DATABASE …), and that over the',
      'defaults. mapae start --help lists them all.',
    ]),
    section('Exit codes', exitCodes()),
    'mapae <command> --help explains a command; mapae --version names the version.\n',
  )
}

/** The help of one command. */
export function commandHelp({
  name,
  summary,
  words,
  flags,
  notes = [],
  examples = [],
  outcomes,
}: CommandFacts): string {
  const options = Object.entries(flags).map(([flag, { value, many, help }]): [string, string] => [
    `--${flag}${value === undefined ? '' : ` <${value}>`}`,
    many ? `${help}; may be repeated` : help,
  ])
  const usage = ['mapae', name, ...(options.length > 0 ? ['[options]'] : []), words?.usage ?? '']
    .join(' ')
    .trim()
  return page(
    summary,
    section('Usage', [usage]),
    ...(options.length > 0 ? [section('Options', hanging(options, WIDTH))] : []),
    ...notes.map((note) => `${wrapped(note, WIDTH).join('\n')}\n`),
    ...(examples.length > 0 ? [section('Examples', examples)] : []),
    section('Exit codes', exitCodes(outcomes)),
  )
}

function exitCodes({ done, failed }: NonNullable<CommandFacts['outcomes']> = {}): string[] {
  return columns([
    ['0', done ?? 'done'],
    ['1', `${failed ? `${failed}, or ` : ''}it could not be done, or an option is wrong`],
    ['2', 'called wrongly: no such command, or arguments missing or too many'],
    ['130, 143', 'interrupted'],
  ])
}

function page(...blocks: readonly string[]): string {
  return `${[`${blocks[0]}\n`, ...blocks.slice(1)].join('\n')}`
}

function section(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`
}
