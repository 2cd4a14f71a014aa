import { type Command, defineCommand } from '../command.ts'
import { CommandError } from '../command-error.ts'
import { printable } from '../printable.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const sessionsEnd: Command = defineCommand({
  name: 'sessions end',
  summary: 'End a session: its tokens are refused, the account may log in again',
  words: { usage: 'SESSION', least: 1, most: 1 },
  flags: storeFlags,
  async work({ flags, words: [id = ''] }, io) {
    const outcome = await withExistingAuth(flags, io, async ({ api }) => {
      if (await api.endSession(id)) return 'has ended'
      if (await api.findSession(id)) return 'had ended before'
      throw new CommandError(`There is no session "${printable(id)}", or it was swept away.`)
    })
    io.stdout.write(`The session ${printable(id)} ${outcome}.\n`)
    return 0
  },
})
