import { padded, width } from '../columns.ts'
import { type Command, defineCommand } from '../command.ts'
import { lintToken, type TokenFindings } from '../lint-token.ts'
import { type Paint, paintFor } from '../paint.ts'
import { jsonLines, printable } from '../printable.ts'
import { readToken } from '../read-token.ts'
import { problemLines } from '../token-report.ts'
import { wholeNumber } from '../whole-number.ts'

const NAME = 'token lint'
/** Characters; the default of @mapae/jwt. */
const BUDGET = '1800'

export const tokenLint: Command = defineCommand({
  name: NAME,
  summary: 'Look for secrets, personal data and excess weight in a token',
  words: { usage: '[TOKEN | -]', least: 0, most: 1 },
  flags: {
    budget: { value: 'characters', help: `From this length on a token is refused (default ${BUDGET})` },
    json: { help: 'Print JSON' },
  },
  notes: [
    'Anyone who holds a token can read it, and every request carries it. This looks at what is in it and at its length, not at its signature, and not at whether it has expired since. Without TOKEN it is read from standard input.',
  ],
  examples: [
    'pbpaste | mapae token lint',
    `mapae token sign --key key.pem --claims '{"sub":"me"}' | mapae token lint --json`,
  ],
  outcomes: { done: 'nothing to refuse; there may be warnings', failed: 'the token is refused' },
  async work({ flags, words }, io) {
    const budget = wholeNumber(flags.budget ?? BUDGET, { name: '--budget', least: 1, most: 1_000_000 })
    const findings = lintToken(await readToken(NAME, words[0], io), { budget, now: io.clock() })
    io.stdout.write(flags.json ? jsonLines(findings) : report(findings, paintFor(io.stdout, io)))
    return findings.verdict === 'refuse' ? 1 : 0
  },
})

const FATTEST = 5

function report({ verdict, problems, size, budget }: TokenFindings, paint: Paint): string {
  const lines = [
    headingOf(verdict, paint),
    ...(problems.length === 0 ? [] : ['', ...problemLines('Found', problems, paint)]),
    '',
    paint.bold(`Weight: ${size.length} characters; ${budget} are too many`),
    ...bars([
      { name: 'header', length: size.header, colour: paint.header },
      { name: 'payload', length: size.payload, colour: paint.payload },
      { name: 'signature', length: size.signature, colour: paint.signature },
    ]),
    ...fattest(size, paint),
  ]
  return `${lines.join('\n')}\n`
}

function headingOf(verdict: TokenFindings['verdict'], { good, warn, bad }: Paint): string {
  switch (verdict) {
    case 'ok':
      return good('✓ nothing to say against it')
    case 'warn':
      return warn('! think again')
    case 'refuse':
      return bad('✗ refused')
  }
}

function fattest({ claims }: TokenFindings['size'], paint: Paint): string[] {
  if (claims.length === 0) return []
  const named = claims.slice(0, FATTEST).map(({ name, length }) => ({
    name: printable(name),
    length,
    colour: paint.payload,
  }))
  return ['', paint.bold('The fattest claims'), ...bars(named)]
}

const LONGEST_BAR = 40

function bars(rows: readonly { name: string; length: number; colour: (text: string) => string }[]): string[] {
  const names = Math.min(20, Math.max(...rows.map(({ name }) => width(name))))
  const most = Math.max(1, ...rows.map(({ length }) => length))
  return rows.map(({ name, length, colour }) => {
    const bar = '█'.repeat(Math.round((length / most) * LONGEST_BAR))
    return `  ${padded(name, names)}  ${String(length).padStart(5)}  ${colour(bar)}`.trimEnd()
  })
}
