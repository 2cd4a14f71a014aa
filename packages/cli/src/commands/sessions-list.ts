import type { SessionOverview } from '@mapae/server'
import { columns } from '../columns.ts'
import { type Command, defineCommand } from '../command.ts'
import { jsonLines } from '../printable.ts'
import { ONE_USER, requireUser } from '../require-user.ts'
import { sessionRow } from '../session-row.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const sessionsList: Command = defineCommand({
  name: 'sessions list',
  summary: 'List where an account is logged in, and the 20 sessions that ended last',
  words: ONE_USER,
  flags: { json: { help: 'Print JSON; moments are seconds' }, ...storeFlags },
  notes: ['mapae sessions show tells what happened to one of them.'],
  async work({ flags, words: [named = ''] }, io) {
    const { live, ended } = await withExistingAuth(flags, io, async ({ api }) => {
      const { id } = await requireUser(api, named)
      return { live: await api.listSessions(id), ended: await api.listSessions(id, { ended: true }) }
    })
    if (flags.json) io.stdout.write(jsonLines({ sessions: live, ended_sessions: ended }))
    else for (const line of table({ live, ended }, io.clock())) io.stdout.write(`${line}\n`)
    return 0
  },
})

function table(
  { live, ended }: Readonly<Record<'live' | 'ended', readonly SessionOverview[]>>,
  now: number,
): string[] {
  const rows = columns([...live, ...ended].map((session) => sessionRow(session, now)))
  const [open, over] = [rows.slice(0, live.length), rows.slice(live.length)]
  return [
    ...(open.length === 0 ? ['It is logged in nowhere.'] : [`Logged in (${open.length}):`, ...open]),
    ...(over.length === 0 ? [] : ['', `Ended (${over.length}):`, ...over]),
  ]
}
