import { type Command, defineCommand } from '../command.ts'
import { CommandError } from '../command-error.ts'
import { keyRow } from '../key-row.ts'
import { printable } from '../printable.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const keysWithdraw: Command = defineCommand({
  name: 'keys withdraw',
  summary: 'Stop a signing key that may be stolen: everywhere, at once, for good',
  words: { usage: 'KID', least: 1, most: 1 },
  flags: { yes: { help: 'Really do it: there is no way back' }, ...storeFlags },
  notes: [
    'Guards refuse its tokens as soon as the revocation feed tells them, others when they fetch the key set again. Where it is the key that signs, another signs from then on: the next one, or a new one.',
    'Nobody is logged out: a renewal needs the refresh token, which no signing key makes.',
  ],
  async work({ flags, words: [kid = ''] }, io) {
    if (!flags.yes)
      throw new CommandError(`Nothing was done: to withdraw the key ${printable(kid)} for good, add --yes.`)
    const outcome = await withExistingAuth(flags, io, ({ api }) => api.withdrawKey(kid), {
      secret: 'sealing',
    })
    switch (outcome.type) {
      case 'unknown':
        throw new CommandError(
          `There is no key ${printable(kid)}: mapae keys list shows those that there are.`,
        )
      case 'withdrawn_before':
        io.stdout.write(`The key ${printable(kid)} was withdrawn before.\n`)
        return 0
      case 'withdrawn':
        io.stdout.write(`The key ${printable(kid)} is withdrawn.\n`)
        if (outcome.signing) io.stdout.write(`${keyRow(outcome.signing, io.clock()).join('  ')}\n`)
        return 0
    }
  },
})
