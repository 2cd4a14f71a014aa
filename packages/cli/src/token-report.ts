import type { ExplainedMember, JwtExplanation, JwtProblem } from '@mapae/jwt/explain'
import { padded, width } from './columns.ts'
import { fromNow, localTime } from './moments.ts'
import type { Paint } from './paint.ts'
import { printable, printableJson } from './printable.ts'

/** A token taken apart for a person to read, its three parts in three colours; `heading` says what is known of it. */
export function tokenReport(
  explained: JwtExplanation,
  { heading, paint }: { heading: string; paint: Paint },
): string {
  const { headerMembers, claimMembers, form, size, problems } = explained
  const lines = [
    heading,
    '',
    colouredToken(explained, paint),
    '',
    paint.bold(paint.header('Header')),
    ...members(headerMembers, paint),
    ...(form === 'jws'
      ? [
          '',
          paint.bold(paint.payload('Payload')),
          ...members(claimMembers, paint),
          '',
          ...signatureLines(explained, paint),
        ]
      : ['', 'The payload is encrypted (JWE): only who has the key can read it.']),
    ...(problems.length === 0 ? [] : ['', ...problemLines('Look out', problems, paint)]),
    '',
    paint.dim(`${size.length} characters`),
  ]
  return `${lines.join('\n')}\n`
}

/** The token itself, in one line. */
export function colouredToken({ form, segments }: JwtExplanation, paint: Paint): string {
  const [header = '', payload = '', signature = ''] = segments.map(printable)
  if (form !== 'jws') return paint.dim(printable(segments.join('.')))
  return [paint.header(header), paint.payload(payload), paint.signature(signature)].join('.')
}

/** What is wrong with a token, below a title. */
export function problemLines(title: string, problems: readonly JwtProblem[], paint: Paint): string[] {
  return [
    paint.bold(title),
    ...problems.map(({ severity, description }) =>
      severity === 'error'
        ? paint.bad(`  ✗ ${printable(description)}`)
        : paint.warn(`  ! ${printable(description)}`),
    ),
  ]
}

/** A longer name stands out rather than pushing all values aside. */
const WIDEST_NAME = 20

function members(explained: readonly ExplainedMember[], paint: Paint): string[] {
  const names = explained.map(({ name }) => printable(name))
  const widest = Math.min(WIDEST_NAME, Math.max(0, ...names.map(width)))
  return explained.flatMap(({ value, meaning, moment }, index) => {
    const when = moment ? `  ${momentOf(moment, paint)}` : ''
    const shown = `  ${padded(names[index] ?? '', widest)}  ${printableJson(value)}${when}`
    return meaning ? [shown, paint.dim(`  ${' '.repeat(widest)}  ${meaning}`)] : [shown]
  })
}

function momentOf({ iso, secondsFromNow }: NonNullable<ExplainedMember['moment']>, paint: Paint): string {
  return paint.accent(`${localTime(Date.parse(iso))}, ${fromNow(secondsFromNow)}`)
}

function signatureLines({ segments }: JwtExplanation, paint: Paint): string[] {
  const length = segments[2]?.length ?? 0
  return [
    paint.bold(paint.signature('Signature')),
    length === 0
      ? '  none'
      : `  ${Math.floor((length * 3) / 4)} bytes over the two parts before it; only a key shows whether it is right`,
  ]
}
