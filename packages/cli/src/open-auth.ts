import type { Auth } from '@mapae/server'
import { CommandError } from './command-error.ts'
import { databaseName } from './database-name.ts'
import { usualFileProblem } from './file-problem.ts'
import type { Io } from './io.ts'
import { findSecrets, type SecretUse } from './secrets.ts'
import type { Settings } from './settings.ts'

/** Opens the auth server of these settings, its database up to date. Refuses what cannot be, in one sentence. */
export async function openAuth(settings: Settings, io: Io, use: SecretUse): Promise<Auth> {
  return telling(settings, async () => {
    const auth = await makeAuth(settings, io, use)
    try {
      await auth.ready()
      return auth
    } catch (error) {
      await auth.close().catch(() => {})
      throw error
    }
  })
}

/** Makes the auth server, and does not look at its database yet. What is done to it is done in the name of the command. */
export async function makeAuth(settings: Settings, { environment }: Io, use: SecretUse): Promise<Auth> {
  const secret = await findSecrets({ environment, dataFolder: settings.dataFolder, use })
  const { createAuth } = await import('@mapae/server')
  const { url = `http://localhost:${settings.port}`, database, options } = settings
  return telling(settings, async () => {
    const auth = createAuth({ ...options, url, secret, database })
    return { ...auth, api: auth.api.as('command') }
  })
}

/** Does `work`, and turns the server's own errors into sentences for whoever typed the command. */
export async function telling<T>(settings: Settings, work: () => Promise<T>): Promise<T> {
  const { AuthError, StoreError } = await import('@mapae/server')
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof AuthError) throw new CommandError(cause.message, { cause })
    if (cause instanceof StoreError)
      throw new CommandError(
        `The database ${databaseName(settings.database)} cannot be used: ${reasonOf(cause)}.`,
        { cause },
      )
    throw cause
  }
}

/** The first sentence of what lies underneath. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return reasonOf(thrown.errors[0])
  if (typeof thrown === 'string') return thrown
  if (!(thrown instanceof Error)) return 'it is not known why'
  if (thrown.cause !== undefined) return reasonOf(thrown.cause)
  const usual = usualFileProblem(thrown)
  if (usual !== undefined) return usual
  return thrown.message.split('\n', 1)[0]?.replace(/\.$/, '') || 'it is not known why'
}
