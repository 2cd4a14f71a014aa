import { askPassword } from '../ask-password.ts'
import { type Command, defineCommand } from '../command.ts'
import { usageError } from '../command-error.ts'
import type { Io } from '../io.ts'
import { jsonLines, printable } from '../printable.ts'
import { readInput } from '../read-input.ts'
import { storeFlags } from '../settings.ts'
import { withAuth } from '../with-auth.ts'

export const usersAdd: Command = defineCommand({
  name: 'users add',
  summary: 'Make an account',
  flags: {
    email: { value: 'address', help: 'The e-mail address to log in with' },
    username: { value: 'name', help: 'The username to log in with' },
    name: { value: 'name', help: 'What the person is called' },
    role: { value: 'role', many: true, help: 'A role' },
    scope: { value: 'scope', many: true, help: 'A scope' },
    'password-stdin': { help: 'Read the password from standard input, up to the end, less one line break' },
    json: { help: 'Print JSON' },
    ...storeFlags,
  },
  notes: [
    'Needs --email, --username or both. The password is asked for, unless it comes by --password-stdin.',
  ],
  examples: ['mapae users add --email me@example.com --role admin'],
  async work({ flags }, io) {
    if (flags.email === undefined && flags.username === undefined)
      throw usageError('mapae users add needs --email or --username.')
    const password = await newPassword(flags['password-stdin'] === true, io)
    const { email, username, name, role = [], scope = [] } = flags
    const user = await withAuth(flags, io, ({ api }) =>
      api.createUser({ email, username, name, password, roles: role, scopes: scope }),
    )
    io.stdout.write(
      flags.json ? jsonLines(user) : `Added ${printable(user.email ?? user.username ?? '')} (${user.id}).\n`,
    )
    return 0
  },
})

async function newPassword(fromStdin: boolean, io: Io): Promise<string> {
  if (fromStdin) return (await readInput(io.stdin)).replace(/\r?\n$/, '')
  if (!io.stdin.isTTY)
    throw usageError('mapae users add cannot ask for a password without a terminal: use --password-stdin.')
  return askPassword(io)
}
