import type { AccountOverview, SessionOverview } from '@mapae/server'
import { columns } from '../columns.ts'
import { type Command, defineCommand } from '../command.ts'
import { localTime } from '../moments.ts'
import { jsonLines, printable } from '../printable.ts'
import { ONE_USER, requireUser } from '../require-user.ts'
import { sessionRow } from '../session-row.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const usersShow: Command = defineCommand({
  name: 'users show',
  summary: 'Show an account and where it is logged in',
  words: ONE_USER,
  flags: { json: { help: 'Print JSON' }, ...storeFlags },
  async work({ flags, words: [named = ''] }, io) {
    const { user, sessions } = await withExistingAuth(flags, io, async ({ api }) => {
      const user = await requireUser(api, named)
      return { user, sessions: await api.listSessions(user.id) }
    })
    if (flags.json) io.stdout.write(jsonLines({ user, sessions }))
    else
      for (const line of [...aboutUser(user), ...aboutSessions(sessions, io.clock())])
        io.stdout.write(`${line}\n`)
    return 0
  },
})

/** One line for each member that says something. */
function aboutUser({ created_at, last_login_at, disabled, ...user }: AccountOverview): string[] {
  const told = Object.entries({
    ...user,
    email_verified: user.email === null ? null : user.email_verified,
    created_at: localTime(created_at * 1000),
    last_login_at: last_login_at === null ? 'never' : localTime(last_login_at * 1000),
    disabled: disabled || null,
  }).filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
  return columns(told.map(([name, value]) => [name, printable(inWords(value))]))
}

function inWords(value: unknown): string {
  if (Array.isArray(value)) return value.join(' ')
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
}

function aboutSessions(sessions: readonly SessionOverview[], now: number): string[] {
  if (sessions.length === 0) return ['', 'It is logged in nowhere.']
  return [
    '',
    `Sessions (${sessions.length}):`,
    ...columns(sessions.map((session) => sessionRow(session, now))),
  ]
}
