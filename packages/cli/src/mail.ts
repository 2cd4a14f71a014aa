import { join } from 'node:path'
import type { AuthOptions, Mailer } from '@mapae/server'
import { CommandError } from './command-error.ts'
import type { FlagValues, ValueFlag } from './flags.ts'
import type { Io } from './io.ts'
import { telling } from './open-auth.ts'
import { outboxMailer } from './outbox.ts'
import type { Settings } from './settings.ts'

/** The flags of `start` that are about mail. The server to send by holds a password: it comes from the environment alone. */
export const mailFlags: Readonly<Record<'mail-from' | 'registration', ValueFlag>> = {
  'mail-from': {
    value: 'address',
    help: 'Whom mails come from (MAPAE_MAIL_FROM); the server to send by is MAPAE_SMTP_URL',
  },
  registration: {
    value: 'how',
    help: 'open, or verify-first: no account before its address was proved (MAPAE_REGISTRATION; default open)',
  },
}

/**
 * How the server sends mail and registers people. By SMTP where MAPAE_SMTP_URL says so; in development else into the
 * outbox; in production else not at all.
 */
export async function withMail(
  settings: Settings,
  flags: FlagValues<typeof mailFlags>,
  io: Io,
): Promise<Settings> {
  const mailer = await mailerOf(settings, flags, io)
  const registration = readRegistration(flags.registration ?? io.environment.MAPAE_REGISTRATION ?? 'open')
  return { ...settings, options: { ...settings.options, registration, ...(mailer && { mailer }) } }
}

async function mailerOf(
  settings: Settings,
  flags: FlagValues<typeof mailFlags>,
  io: Io,
): Promise<Mailer | undefined> {
  const { MAPAE_SMTP_URL: url, MAPAE_MAIL_FROM, NODE_ENV } = io.environment
  const from = flags['mail-from'] ?? MAPAE_MAIL_FROM
  if (url === undefined)
    return NODE_ENV === 'production' ? undefined : outboxMailer(join(settings.dataFolder, 'outbox'), io)
  if (from === undefined)
    throw new CommandError('MAPAE_SMTP_URL is set, but not whom mails come from: set MAPAE_MAIL_FROM.')
  const dangerouslyAllowPlaintext = io.environment.MAPAE_DANGEROUSLY_ALLOW_PLAINTEXT_SMTP === '1'
  const { createSmtpMailer } = await import('@mapae/server/smtp')
  return telling(settings, async () => createSmtpMailer({ url, from, dangerouslyAllowPlaintext }))
}

function readRegistration(text: string): NonNullable<AuthOptions['registration']> {
  if (text === 'open' || text === 'verify-first') return text
  throw new CommandError('The registration must be open or verify-first.')
}
