import type { Auth } from '@mapae/server'
import { type Command, defineCommand } from '../command.ts'
import { CommandError } from '../command-error.ts'
import { printable } from '../printable.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const usersDisable: Command = defineCommand({
  name: 'users disable',
  summary: 'Shut an account out: end its sessions, refuse its tokens and logins',
  words: { usage: 'ID|EMAIL|USERNAME', least: 1, most: 1 },
  flags: storeFlags,
  async work({ flags, words: [named = ''] }, io) {
    const outcome = await withExistingAuth(flags, io, ({ api }) => disable(api, named))
    io.stdout.write(`The account ${printable(named)} ${outcome}.\n`)
    return 0
  },
})

async function disable(api: Auth['api'], named: string): Promise<string> {
  const user = await api.findUser(named)
  if (!user) throw new CommandError(`There is no account "${named}".`)
  return (await api.disableUser(user.id)) ? 'is disabled, and its sessions have ended' : 'was disabled before'
}
