import type { ExplainedMember, JwtExplanation, JwtProblem } from '@mapae/jwt/explain'
import { fromNow, localTime } from './moments.ts'
import type { Paint } from './paint.ts'
import { printable, printableJson } from './printable.ts'

/** A token taken apart for a person to read, its three parts in three colours. */
export function tokenReport(explained: JwtExplanation, paint: Paint): string {
  const { segments, headerMembers, claimMembers, form, size, problems } = explained
  const [header = '', payload = '', signature = ''] = segments
  const lines = [
    paint.warn('NOT VERIFIED: anyone can have written this. To check it: mapae token verify'),
    '',
    form === 'jws'
      ? [paint.header(header), paint.payload(printable(payload)), paint.signature(printable(signature))].join(
          '.',
        )
      : paint.dim(printable(segments.join('.'))),
    '',
    paint.bold(paint.header('Header')),
    ...members(headerMembers, paint),
    ...(form === 'jws'
      ? ['', paint.bold(paint.payload('Payload')), ...members(claimMembers, paint), '', ...signatureLines()]
      : ['', 'The payload is encrypted (JWE): only who has the key can read it.']),
    ...problemLines(problems, paint),
    '',
    paint.dim(`${size.length} characters`),
  ]
  return `${lines.join('\n')}\n`

  function signatureLines(): string[] {
    const bytes = Math.floor((signature.length * 3) / 4)
    return [
      paint.bold(paint.signature('Signature')),
      signature === ''
        ? '  none'
        : `  ${bytes} bytes over the two parts before it; only a key shows whether it is right`,
    ]
  }
}

function members(explained: readonly ExplainedMember[], paint: Paint): string[] {
  const width = Math.max(0, ...explained.map(({ name }) => name.length))
  return explained.flatMap(({ name, value, meaning, moment }) => {
    const shown = `  ${printable(name).padEnd(width)}  ${printableJson(value)}${moment ? `  ${momentOf(moment, paint)}` : ''}`
    return meaning ? [shown, paint.dim(`  ${' '.repeat(width)}  ${meaning}`)] : [shown]
  })
}

function momentOf({ iso, secondsFromNow }: NonNullable<ExplainedMember['moment']>, paint: Paint): string {
  return paint.accent(`${localTime(Date.parse(iso))}, ${fromNow(secondsFromNow)}`)
}

function problemLines(problems: readonly JwtProblem[], paint: Paint): string[] {
  if (problems.length === 0) return []
  return [
    '',
    paint.bold('Look out'),
    ...problems.map(({ severity, description }) =>
      severity === 'error'
        ? paint.bad(`  ✗ ${printable(description)}`)
        : paint.warn(`  ! ${printable(description)}`),
    ),
  ]
}
