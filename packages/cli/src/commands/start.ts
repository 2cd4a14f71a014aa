import { type Command, defineCommand } from '../command.ts'
import { greeting } from '../greeting.ts'
import type { Io } from '../io.ts'
import { mailFlags, withMail } from '../mail.ts'
import { openAuth } from '../open-auth.ts'
import { paintFor } from '../paint.ts'
import { type Listener, listen } from '../serve/listen.ts'
import { stopSignals } from '../serve/signals.ts'
import { readSettings, type Settings, serverFlags } from '../settings.ts'

/** Milliseconds: how long requests under way may take once the server is told to stop. */
const PATIENCE = 10_000
const SAY_SO_AFTER = 300

export const start: Command = defineCommand({
  name: 'start',
  summary: 'Run the auth server',
  flags: { ...serverFlags, ...mailFlags },
  notes: [
    'The server secret comes from MAPAE_SECRET alone: 32 characters or more, or a list with commas, newest first. In development one is made and kept in the data folder; with NODE_ENV=production a missing one refuses to start.',
    'Mails go out by MAPAE_SMTP_URL (smtps://user:password@host) from MAPAE_MAIL_FROM. Without them, development prints each mail and keeps it in <data>/outbox, and production sends none.',
    'MAPAE_REVOCATION_FEED_TOKEN closes GET /revocations to all who do not send it as a Bearer token; guards take it as revocations.token.',
    'Ctrl-C and SIGTERM finish the requests under way, for 10 s at most, and exit with 0; once more ends at once.',
  ],
  examples: [
    'mapae start',
    'mapae start --port 4100 --access-lifetime 10',
    'mapae start --database postgres://localhost/mapae',
  ],
  async work({ flags }, io) {
    const given = readSettings(flags, io.environment)
    const listener = await listen(given)
    const settings = { ...given, port: listener.port }
    const opening = withMail(settings, flags, io).then((mailing) => openAuth(mailing, io, 'serving'))
    const auth = await opening.catch(async (error: unknown) => {
      await listener.drain(0)
      throw error
    })
    listener.serve(auth.fetch)
    const signals = stopSignals()
    greet(settings, io)

    await signals.first
    auth.endFeeds()
    await finishRequests(listener, io)
    await auth.close()
    signals.release()
    return 0
  },
})

function greet(settings: Settings, io: Io): void {
  const isProduction = io.environment.NODE_ENV === 'production'
  const { since = 0 } = io
  io.stdout.write(greeting(settings, { paint: paintFor(io.stdout, io), withTour: !isProduction, since }))
  if (isProduction && settings.url === undefined)
    io.stderr.write(
      'MAPAE_URL is not set: tokens are issued in the name of localhost, and cookies work there alone.\n',
    )
  if (isProduction && io.environment.MAPAE_SMTP_URL === undefined)
    io.stderr.write('MAPAE_SMTP_URL is not set: no mail is sent, so nobody can reset a forgotten password.\n')
}

async function finishRequests(listener: Listener, { stderr }: Io): Promise<void> {
  const waiting = setTimeout(
    () => stderr.write('Finishing the requests under way; once more ends at once.\n'),
    SAY_SO_AFTER,
  )
  const cut = await listener.drain(PATIENCE)
  clearTimeout(waiting)
  if (cut > 0) stderr.write(`${cut} connections were still busy after ${PATIENCE / 1000} s and were cut.\n`)
}
