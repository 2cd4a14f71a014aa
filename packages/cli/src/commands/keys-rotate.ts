import { type Command, defineCommand } from '../command.ts'
import { keyRow } from '../key-row.ts'
import { jsonLines } from '../printable.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const keysRotate: Command = defineCommand({
  name: 'keys rotate',
  summary: 'Make a new signing key; the old one goes on verifying',
  flags: {
    now: { help: 'Sign with it at once, before those who verify have had time to fetch it' },
    json: { help: 'Print JSON' },
    ...storeFlags,
  },
  notes: [
    'The new key is published first and signs ten minutes later. Running servers notice by themselves.',
  ],
  async work({ flags }, io) {
    const key = await withExistingAuth(
      flags,
      io,
      ({ api }) => api.rotateKeys({ signsNow: flags.now === true }),
      { secret: 'sealing' },
    )
    io.stdout.write(flags.json ? jsonLines(key) : `${keyRow(key, io.clock()).join('  ')}\n`)
    return 0
  },
})
