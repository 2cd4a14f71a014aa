import type { AuthApi, SigningKeyStatus } from '@mapae/server'
import { awaitGuards } from '../await-guards.ts'
import { type Command, defineCommand } from '../command.ts'
import type { Io } from '../io.ts'
import { keyRow } from '../key-row.ts'
import { jsonLines } from '../printable.ts'
import { storeFlags } from '../settings.ts'
import { withExistingAuth } from '../with-auth.ts'

export const keysRotate: Command = defineCommand({
  name: 'keys rotate',
  summary: 'Make a new signing key; the old one goes on verifying',
  flags: {
    now: { help: 'Sign with it at once, before those who verify have had time to fetch it' },
    'no-wait': { help: 'Do not wait for the guards: it signs in ten minutes, whoever holds it by then' },
    json: { help: 'Print JSON' },
    ...storeFlags,
  },
  notes: [
    'Running servers make a new key by themselves every 90 days (MAPAE_SIGNING_KEY_LIFETIME). The new key is published first and signs ten minutes later, or when every guard that was heard of within ten minutes holds it; Ctrl-C stops the waiting and lets it sign at its time. Where the feed has no token (MAPAE_REVOCATION_FEED_TOKEN) it is put off for nobody: anybody can say that they are a guard.',
    'A key that may be stolen is stopped with mapae keys withdraw.',
  ],
  async work({ flags }, io) {
    const rotate = (api: AuthApi) =>
      makeKey(api, { now: flags.now === true, waits: flags['no-wait'] !== true }, io)
    const key = await withExistingAuth(flags, io, ({ api }) => rotate(api), { secret: 'sealing' })
    io.stdout.write(flags.json ? jsonLines(key) : `${keyRow(key, io.clock()).join('  ')}\n`)
    return 0
  },
})

async function makeKey(
  api: AuthApi,
  { now, waits }: { now: boolean; waits: boolean },
  io: Io,
): Promise<SigningKeyStatus> {
  const key = await api.rotateKeys({ signsNow: now })
  if (now) await warn(api, io)
  return now || !waits ? key : awaitGuards(api, key, io)
}

async function warn(api: AuthApi, io: Io): Promise<void> {
  const missing = (await api.listGuards()).filter(({ isReady }) => !isReady)
  io.stderr.write(
    `WARNING: the new key signs at once. ${missing.length} guards do not hold it yet and fetch it for its first token; what is no guard of Mapae refuses its tokens for as long as it keeps the old key set, usually five minutes.\n`,
  )
}
