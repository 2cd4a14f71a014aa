import { existsSync } from 'node:fs'
import type { Auth } from '@mapae/server'
import { CommandError } from './command-error.ts'
import type { Io } from './io.ts'
import { openAuth, telling } from './open-auth.ts'
import type { SecretUse } from './secrets.ts'
import { readSettings, type Settings } from './settings.ts'

interface How {
  /** Work that encrypts something under the server's secret says `sealing`. @default 'nothing' */
  readonly secret?: SecretUse
}

/** Works on the database of the server, and lets go of it. */
export async function withAuth<T>(
  flags: { readonly data?: string; readonly database?: string },
  io: Io,
  work: (auth: Auth) => Promise<T>,
  { secret = 'nothing' }: How = {},
): Promise<T> {
  const settings = readSettings(flags, io.environment)
  const auth = await openAuth(settings, io, secret)
  try {
    return await telling(settings, () => work(auth))
  } finally {
    await auth.close()
  }
}

/** The same for work that makes no sense on a new database; refuses to make one by mistake in some folder. */
export async function withExistingAuth<T>(
  flags: { readonly data?: string; readonly database?: string },
  io: Io,
  work: (auth: Auth) => Promise<T>,
  how: How = {},
): Promise<T> {
  const missing = missingFile(readSettings(flags, io.environment))
  if (missing !== undefined)
    throw new CommandError(`There is no database ${missing}: name the right one with --data or --database.`)
  return withAuth(flags, io, work, how)
}

/** The file of an SQLite database that is not there yet. */
export function missingFile({ database }: Pick<Settings, 'database'>): string | undefined {
  const file = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(database)?.[1]
  return file !== undefined && !existsSync(file) ? file : undefined
}
