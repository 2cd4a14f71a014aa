import type { Auth } from '@mapae/server'
import { type AuditFilter, auditPages, followAudit } from '../audit-pages.ts'
import { type Command, defineCommand } from '../command.ts'
import { CommandError } from '../command-error.ts'
import { nearest } from '../nearest.ts'
import { printableJson } from '../printable.ts'
import { storeFlags } from '../settings.ts'
import { readSince } from '../since.ts'
import { withExistingAuth } from '../with-auth.ts'
import { writeOut } from '../write-out.ts'

export const auditExport: Command = defineCommand({
  name: 'audit export',
  summary: 'Print the audit log: a JSON object a line',
  flags: {
    since: { value: 'time', help: 'From then on: 2026-11-25, 2026-11-25T09:00+09:00, or 7d, 24h, 30min ago' },
    type: { value: 'type', many: true, help: 'Only lines of this type, such as login.failed' },
    user: {
      value: 'user',
      help: 'Only of this account: ID, e-mail or username; the ID where it was deleted',
    },
    follow: { help: 'Go on with what comes, until interrupted' },
    ...storeFlags,
  },
  notes: [
    'Lines have ids, and no names, addresses or tokens. In the order of seq, which has gaps; at is UTC. docs/events.md explains the types.',
  ],
  examples: [
    'mapae audit export --since 7d > audit.jsonl',
    'mapae audit export --follow --type login.failed',
  ],
  async work({ flags }, io) {
    const since = flags.since === undefined ? undefined : readSince(flags.since, io.clock())
    await refuseUnknown(flags.type ?? [])
    await withExistingAuth(flags, io, async ({ api }) => {
      const accountId = flags.user === undefined ? undefined : await idOf(api, flags.user)
      const filter: AuditFilter = { since, types: flags.type, accountId }
      const pages = flags.follow ? followAudit(api, filter, io) : auditPages(api, filter, io.stdout)
      for await (const page of pages)
        await writeOut(io.stdout, page.map((line) => `${printableJson(line)}\n`).join(''))
    })
    return 0
  },
})

async function refuseUnknown(types: readonly string[]): Promise<void> {
  const { eventTypes } = await import('@mapae/server')
  const known = Object.entries(eventTypes).flatMap(([type, { kept }]) => (kept === 'told' ? [] : [type]))
  const unknown = types.find((type) => !known.includes(type))
  if (unknown === undefined) return
  const near = nearest(unknown, known)
  throw new CommandError(
    `The audit log has no lines of the type "${unknown}"${near ? `; did you mean ${near}?` : '; see docs/events.md.'}`,
  )
}

/** An account that was deleted is in the log by its id alone. */
async function idOf(api: Auth['api'], named: string): Promise<string> {
  return (await api.findUser(named))?.id ?? named
}
