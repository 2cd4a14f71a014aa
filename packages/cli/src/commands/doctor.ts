import { type Command, defineCommand } from '../command.ts'
import { CommandError, usageError } from '../command-error.ts'
import type { Finding } from '../doctor/finding.ts'
import { lookAtPage } from '../doctor/page.ts'
import { lookAtServer, lookWhoAnswers } from '../doctor/server.ts'
import type { Io } from '../io.ts'
import { paintFor } from '../paint.ts'
import { jsonLines, printable } from '../printable.ts'
import { wrapped } from '../wrapped.ts'

export const doctor: Command = defineCommand({
  name: 'doctor',
  summary: 'Look at a running server as an app meets it, and say what is set wrongly',
  words: { usage: '[URL]', least: 0, most: 1 },
  flags: {
    origin: {
      value: 'origin',
      many: true,
      help: 'A page that is to use it, such as https://app.example.com: may it, and how',
    },
    json: { help: 'Print JSON' },
  },
  notes: [
    'URL is how people reach the server (default: MAPAE_URL, or http://localhost:4000). It is asked over the network, with no account, and nothing is changed.',
    'Whether two hosts are of one site is told from their names, not from the Public Suffix List.',
  ],
  outcomes: { done: 'nothing is wrong', failed: 'something is' },
  examples: ['mapae doctor', 'mapae doctor https://auth.example.com --origin https://app.example.com'],
  async work({ flags, words }, io) {
    const { MAPAE_URL = 'http://localhost:4000' } = io.environment
    const url = addressOf(words[0] ?? MAPAE_URL)
    const pages = (flags.origin ?? []).map(addressOf)
    const findings = await examine(url, pages, io.clock)
    io.stdout.write(flags.json ? jsonLines({ url: url.origin, findings }) : report(url, findings, io))
    return findings.some(({ verdict }) => verdict === 'bad') ? 1 : 0
  },
})

/** Nothing else is looked at where nobody answers. */
async function examine(url: URL, pages: readonly URL[], clock: () => number): Promise<readonly Finding[]> {
  const first = await lookWhoAnswers(url)
  if (first.verdict === 'bad') return [first]
  try {
    const server = await lookAtServer(url, clock)
    const found = await Promise.all(pages.map((page) => lookAtPage(url, page)))
    return [first, ...server, ...found.flat()]
  } catch (cause) {
    throw new CommandError(`${url.origin} stopped answering while it was looked at.`, { cause })
  }
}

function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw usageError(`${text} is no address such as https://auth.example.com.`)
  return url
}

const WIDTH = 92

function report(url: URL, findings: readonly Finding[], io: Io): string {
  const paint = paintFor(io.stdout, io)
  const marks = { good: paint.good('✓'), warning: paint.warn('!'), bad: paint.bad('✗') }
  const lines = findings.flatMap(({ verdict, says, advice }) => [
    ...hanging(`  ${marks[verdict]} `, printable(says)),
    ...(advice === undefined ? [] : hanging('    ', printable(advice)).map(paint.dim)),
  ])
  return [paint.bold(url.origin), ...lines, '', outcome(findings), ''].join('\n')
}

/** A mark, and a text beside it; lines after the first begin below the text. */
function hanging(mark: string, text: string): string[] {
  return wrapped(text, WIDTH).map((line, index) => (index === 0 ? `${mark}${line}` : `    ${line}`))
}

function outcome(findings: readonly Finding[]): string {
  const wrong = findings.filter(({ verdict }) => verdict === 'bad').length
  const doubtful = findings.filter(({ verdict }) => verdict === 'warning').length
  if (wrong > 0) return wrong === 1 ? 'One thing is wrong.' : `${wrong} things are wrong.`
  if (doubtful > 0) return 'Nothing is wrong; look at what is marked with !.'
  return 'Nothing is wrong.'
}
