import { columns } from './columns.ts'
import type { CommandFacts } from './command-facts.ts'

/** The help of the whole command. */
export function overview(commands: readonly CommandFacts[]): string {
  return page(
    'Mapae 마패: run and look after the auth server',
    section('Usage', ['mapae <command> [options]']),
    section('Commands', columns(commands.map(({ name, summary }) => [name, summary]))),
    section('Settings', [
      'Flags win over the environment (MAPAE_URL, MAPAE_SECRET, MAPAE_DATABASE …), which wins over the defaults.',
      'mapae start --help lists them all.',
    ]),
    section('Exit codes', EXIT_CODES),
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
    ...(options.length > 0 ? [section('Options', columns(options))] : []),
    ...notes.map((note) => `${note}\n`),
    ...(examples.length > 0 ? [section('Examples', examples)] : []),
    section('Exit codes', EXIT_CODES),
  )
}

const EXIT_CODES = columns([
  ['0', 'done; for token verify: the token is good'],
  ['1', 'it could not be done, or an option is wrong; for token verify: the token is refused'],
  ['2', 'called wrongly: no such command, or arguments missing or too many'],
  ['130, 143', 'interrupted'],
])

function page(...blocks: readonly string[]): string {
  return `${[`${blocks[0]}\n`, ...blocks.slice(1)].join('\n')}`
}

function section(title: string, lines: readonly string[]): string {
  return `${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`
}
