import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError } from './command-error.ts'
import type { Environment } from './environment.ts'
import { errorCode } from './error-code.ts'
import { fileProblem } from './file-problem.ts'
import { splitList } from './settings.ts'

const SHORTEST = 32

/**
 * What the secret is wanted for. `serving`: one is made where there is none. `sealing`: something is encrypted or named under it, so it must
 * be the server's. `nothing`: the work does not touch it, and needs none to be there.
 */
export type SecretUse = 'serving' | 'sealing' | 'nothing'

/**
 * The server secrets, newest first. In production MAPAE_SECRET must hold them; in development one is made in the data
 * folder, readable by this user alone, and kept: without it every session would end with the process.
 */
export async function findSecrets({
  environment,
  dataFolder,
  use,
}: {
  environment: Environment
  dataFolder: string
  use: SecretUse
}): Promise<readonly string[]> {
  if (use === 'nothing') return [newSecret()]
  const given = splitList(environment.MAPAE_SECRET)
  if (given?.length) return longEnough(given, 'MAPAE_SECRET')
  if (environment.NODE_ENV === 'production') throw new CommandError(MISSING)

  const file = join(dataFolder, 'secret')
  try {
    const kept =
      (await readKept(file)) ?? (use === 'serving' ? await makeSecret(dataFolder, file) : undefined)
    if (kept === undefined) throw new CommandError(`${SEALING} ${file}.`)
    return longEnough(splitList(kept) ?? [], `The file ${file}`)
  } catch (cause) {
    if (cause instanceof CommandError) throw cause
    throw new CommandError(`The data folder ${dataFolder} cannot be used: ${fileProblem(cause)}.`, { cause })
  }
}

const MISSING =
  'MAPAE_SECRET is missing: in production it must hold at least 32 characters that nobody else knows, such as those that "openssl rand -base64 32" prints.'
const SEALING = 'This needs the secret of the server: set MAPAE_SECRET, or name the data folder; there is no'

function longEnough(secrets: readonly string[], where: string): readonly string[] {
  if (secrets.length > 0 && secrets.every((secret) => secret.length >= SHORTEST)) return secrets
  throw new CommandError(
    `${where} must hold secrets of at least ${SHORTEST} characters each, with a comma between two.`,
  )
}

function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** Not through a link, and without waiting for the other end of a pipe; these do not exist on Windows. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** The file's text; undefined where there is no file. The file itself is looked at, whatever its name stands for by then. */
async function readKept(file: string): Promise<string | undefined> {
  let handle: FileHandle
  try {
    handle = await open(file, READ)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    await makePrivate(handle, file)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

/** Refuses a file in which somebody else may have put a secret that they know; takes the right to read from others. */
async function makePrivate(handle: FileHandle, file: string): Promise<void> {
  const { mode, uid } = await handle.stat()
  const user = process.geteuid?.()
  if (user === undefined) return
  if (uid !== user && uid !== 0)
    throw new CommandError(`The file ${file} belongs to another user: remove it.`)
  if (mode & 0o022)
    throw new CommandError(`Other users can write to the file ${file}: remove it, and a new one is made.`)
  if (mode & 0o044 && uid === user) await handle.chmod(0o600)
}

/** Whole or not at all, and never over another: of two processes that make one at once, both go on with the first. */
async function makeSecret(folder: string, file: string): Promise<string | undefined> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomBytes(8).toString('hex')}`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(`${newSecret()}\n`)
    await handle.sync()
    await link(draft, file)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  } finally {
    await handle.close()
    await rm(draft, { force: true })
  }
  return readKept(file)
}
