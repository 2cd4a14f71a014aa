import { type Command, defineCommand } from '../command.ts'
import { printable } from '../printable.ts'
import { ONE_USER, requireUser } from '../require-user.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const usersEnable: Command = defineCommand({
  name: 'users enable',
  summary: 'Let a disabled account log in again',
  words: ONE_USER,
  flags: storeFlags,
  async work({ flags, words: [named = ''] }, io) {
    const outcome = await withExistingAuth(flags, io, async ({ api }) => {
      const user = await requireUser(api, named)
      return (await api.enableUser(user.id)) ? 'may log in again' : 'was not disabled'
    })
    io.stdout.write(`The account ${printable(named)} ${outcome}.\n`)
    return 0
  },
})
