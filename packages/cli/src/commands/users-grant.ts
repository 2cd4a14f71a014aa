import { type Command, defineCommand } from '../command.ts'
import { grantFlags, grantsInWords, readGrantFlags } from '../grant-flags.ts'
import { jsonLines, printable } from '../printable.ts'
import { ONE_USER, requireUser } from '../require-user.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const usersGrant: Command = defineCommand({
  name: 'users grant',
  summary: 'Give an account roles and scopes; its tokens have them from the next renewal on',
  words: ONE_USER,
  flags: { ...grantFlags, json: { help: 'Print what it then has as JSON' }, ...storeFlags },
  examples: ['mapae users grant me@example.com --role admin --scope orders:write'],
  async work({ flags, words: [named = ''] }, io) {
    const grants = readGrantFlags('users grant', flags)
    const held = await withExistingAuth(flags, io, async ({ api }) => {
      const { id } = await requireUser(api, named)
      return (await api.grant({ id, ...grants })) ?? { roles: [], scopes: [] }
    })
    io.stdout.write(
      flags.json ? jsonLines(held) : `The account ${printable(named)} has ${grantsInWords(held)}.\n`,
    )
    return 0
  },
})
