import type { Auth } from '@mapae/server'
import { type Command, defineCommand } from '../command.ts'
import { CommandError, usageError } from '../command-error.ts'
import { printable } from '../printable.ts'
import { requireUser } from '../require-user.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const sessionsEnd: Command = defineCommand({
  name: 'sessions end',
  summary: 'End a session, those of an account, or all: tokens are refused, everybody may log in again',
  words: { usage: 'SESSION', least: 0, most: 1 },
  flags: {
    user: { value: 'id|email|username', help: 'Every session of this account' },
    all: { help: 'Every session of everybody' },
    ...storeFlags,
  },
  async work({ flags, words: [id] }, io) {
    const { user, all } = flags
    if ([id, user, all].filter((which) => which !== undefined).length !== 1)
      throw usageError(
        'mapae sessions end needs one of SESSION, --user and --all. See mapae sessions end --help.',
      )
    const outcome = await withExistingAuth(flags, io, ({ api }) => {
      if (id !== undefined) return endOne(api, id)
      return user === undefined ? endThem(api.endAllSessions()) : endOf(api, user)
    })
    io.stdout.write(`${outcome}.\n`)
    return 0
  },
})

async function endOne(api: Auth['api'], id: string): Promise<string> {
  if (await api.endSession(id)) return `The session ${printable(id)} has ended`
  if (await api.findSession(id)) return `The session ${printable(id)} had ended before`
  throw new CommandError(`There is no session "${printable(id)}", or it was swept away.`)
}

async function endOf(api: Auth['api'], named: string): Promise<string> {
  const { id } = await requireUser(api, named)
  return endThem(api.endSessions(id))
}

async function endThem(ending: Promise<number>): Promise<string> {
  const ended = await ending
  return `${ended} ${ended === 1 ? 'session has' : 'sessions have'} ended`
}
