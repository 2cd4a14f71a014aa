import { type Command, defineCommand } from '../command.ts'
import { CommandError } from '../command-error.ts'
import { printable } from '../printable.ts'
import { ONE_USER, requireUser } from '../require-user.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const usersDelete: Command = defineCommand({
  name: 'users delete',
  summary: 'Delete an account: sessions end, personal data goes, identifiers are free again',
  words: ONE_USER,
  flags: { yes: { help: 'Really do it: there is no way back' }, ...storeFlags },
  async work({ flags, words: [named = ''] }, io) {
    const id = await withExistingAuth(flags, io, async ({ api }) => {
      const user = await requireUser(api, named)
      if (!flags.yes)
        throw new CommandError(
          `Nothing was done: to delete the account ${printable(named)} (${printable(user.id)}) for good, add --yes.`,
        )
      await api.deleteUser(user.id)
      return user.id
    })
    io.stdout.write(`The account ${printable(id)} is deleted, and its sessions have ended.\n`)
    return 0
  },
})
