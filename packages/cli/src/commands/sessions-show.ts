import type { AuditLine, SessionHistory } from '@mapae/server'
import { columns } from '../columns.ts'
import { type Command, defineCommand } from '../command.ts'
import { CommandError } from '../command-error.ts'
import { localTime } from '../moments.ts'
import { type Paint, paintFor } from '../paint.ts'
import { jsonLines, printable } from '../printable.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const sessionsShow: Command = defineCommand({
  name: 'sessions show',
  summary: 'Show a session and what happened to it: the time line, exactly',
  words: { usage: 'SESSION', least: 1, most: 1 },
  flags: { json: { help: 'Print JSON' }, ...storeFlags },
  notes: [
    'A line of it is: its number in the audit log, the time, the event, who, device, network, place, details. Who is self (the account), someone (who has not shown to be it), admin and in whose name, or system. docs/events.md explains the events.',
  ],
  async work({ flags, words: [id = ''] }, io) {
    const history = await withExistingAuth(flags, io, ({ api }) => api.findSession(id))
    if (!history) throw new CommandError(`There is no session "${printable(id)}", or it was swept away.`)
    if (flags.json) io.stdout.write(jsonLines(history))
    else for (const line of page(history, paintFor(io.stdout, io))) io.stdout.write(`${line}\n`)
    return 0
  },
})

function page({ session, audit }: SessionHistory, paint: Paint): string[] {
  return [
    ...aboutSession(session),
    '',
    paint.bold('Time line'),
    ...(audit.length === 0 ? ['Nothing is left of it in the audit log.'] : timeline(audit, paint)),
  ]
}

function aboutSession(session: SessionHistory['session']): string[] {
  const time = (at: number) => localTime(at * 1000)
  const told: Readonly<Record<string, string | null>> = {
    session: session.id,
    account: session.account_id,
    device: session.device,
    'user agent': session.user_agent,
    network: session.network,
    place: session.place,
    delivery: `${session.transport}${session.bound ? ', bound to a key' : ''}${session.remembered ? '' : ', not remembered'}`,
    generation: String(session.generation),
    opened: time(session.created_at),
    renewed: time(session.renewed_at),
    'last used': time(session.last_used_at),
    ...(session.ended_at === null
      ? { ends: time(session.expires_at) }
      : { ended: time(session.ended_at), because: session.end_reason }),
  }
  return columns(
    Object.entries(told).flatMap(([name, value]) => (value === null ? [] : [[name, printable(value)]])),
  )
}

function timeline(audit: readonly AuditLine[], paint: Paint): string[] {
  const lines = columns(audit.map(rowOf))
  return lines.map((line, index) => colourOf(audit[index]?.type, paint)(line))
}

function rowOf({ seq, at, type, actor, by, device, network, place, detail }: AuditLine): string[] {
  const details = Object.entries(detail).map(([name, value]) => `${name}=${inWords(value)}`)
  const who = by === null ? (actor ?? '') : `${actor} ${by}`
  const cells = [
    `#${seq}`,
    exactTime(at),
    type,
    who,
    device ?? '',
    network ?? '',
    place ?? '',
    details.join(' '),
  ]
  return cells.map(printable)
}

function inWords(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** Local time, to the millisecond. */
function exactTime(at: string): string {
  const milliseconds = Date.parse(at)
  return localTime(milliseconds).replace(/(?= [+-])/, `.${String(milliseconds % 1000).padStart(3, '0')}`)
}

const ALARMING: ReadonlySet<string | undefined> = new Set([
  'session.reuse_detected',
  'session.line_shared',
  'session.proof_refused',
])

function colourOf(type: string | undefined, paint: Paint): (line: string) => string {
  if (ALARMING.has(type)) return paint.bad
  if (type === 'session.ended') return paint.warn
  return (line) => line
}
