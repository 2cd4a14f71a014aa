import { type Command, defineCommand } from '../command.ts'
import { grantFlags, grantsInWords, readGrantFlags } from '../grant-flags.ts'
import { jsonLines, printable } from '../printable.ts'
import { ONE_USER, requireUser } from '../require-user.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const usersWithdraw: Command = defineCommand({
  name: 'users withdraw',
  summary: 'Take roles and scopes from an account; its older access tokens are refused at once',
  words: ONE_USER,
  flags: { ...grantFlags, json: { help: 'Print what is left as JSON' }, ...storeFlags },
  examples: ['mapae users withdraw me@example.com --role admin'],
  async work({ flags, words: [named = ''] }, io) {
    const grants = readGrantFlags('users withdraw', flags)
    const held = await withExistingAuth(flags, io, async ({ api }) => {
      const { id } = await requireUser(api, named)
      return (await api.withdraw({ id, ...grants })) ?? { roles: [], scopes: [] }
    })
    io.stdout.write(
      flags.json ? jsonLines(held) : `The account ${printable(named)} has ${grantsInWords(held)}.\n`,
    )
    return 0
  },
})
