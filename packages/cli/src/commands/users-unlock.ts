import type { Auth } from '@mapae/server'
import { type Command, defineCommand } from '../command.ts'
import { printable } from '../printable.ts'
import { ONE_USER, requireUser } from '../require-user.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const usersUnlock: Command = defineCommand({
  name: 'users unlock',
  summary: 'Forget the wrong passwords of an account: its owner need not wait any more',
  words: ONE_USER,
  flags: storeFlags,
  notes: [
    'Nobody is locked out for longer than 15 minutes, and a device that logged in before is not held up by guesses from elsewhere: this is for those who cannot wait.',
  ],
  async work({ flags, words: [named = ''] }, io) {
    const unlock = async ({ api }: Auth) => {
      const user = await requireUser(api, named)
      return (await api.unlockUser(user.id)) ? 'may log in at once' : 'was not held up'
    }
    // What is counted is named by hashes under the server's secret.
    const outcome = await withExistingAuth(flags, io, unlock, { secret: 'sealing' })
    io.stdout.write(`The account ${printable(named)} ${outcome}.\n`)
    return 0
  },
})
