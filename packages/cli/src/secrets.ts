import { randomBytes } from 'node:crypto'
import { chmod, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError } from './command-error.ts'
import type { Environment } from './environment.ts'
import { fileProblem } from './file-problem.ts'
import { splitList } from './settings.ts'

const SHORTEST = 32

/**
 * The server secrets, newest first. In production MAPAE_SECRET must hold them; in development one is made in the data
 * folder, readable by this user alone, and kept: without it every session would end with the process.
 */
export async function findSecrets({
  environment,
  dataFolder,
}: {
  environment: Environment
  dataFolder: string
}): Promise<readonly string[]> {
  const given = splitList(environment.MAPAE_SECRET)
  if (given?.length) return longEnough(given, 'MAPAE_SECRET')
  if (environment.NODE_ENV === 'production') throw new CommandError(MISSING)

  const file = join(dataFolder, 'secret')
  try {
    return longEnough(splitList(await keptSecret(dataFolder, file)) ?? [], `The file ${file}`)
  } catch (cause) {
    if (cause instanceof CommandError) throw cause
    throw new CommandError(`The data folder ${dataFolder} cannot be used: ${fileProblem(cause)}.`, { cause })
  }
}

const MISSING =
  'MAPAE_SECRET is missing: in production it must hold at least 32 characters that nobody else knows, such as those that "openssl rand -base64 32" prints.'

function longEnough(secrets: readonly string[], where: string): readonly string[] {
  if (secrets.length > 0 && secrets.every((secret) => secret.length >= SHORTEST)) return secrets
  throw new CommandError(`${where} must hold secrets of at least ${SHORTEST} characters each.`)
}

async function keptSecret(folder: string, file: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    return await readPrivately(file)
  } catch (error) {
    if (!(error instanceof Error && Reflect.get(error, 'code') === 'ENOENT')) throw error
  }
  await makeSecret(file)
  return readPrivately(file)
}

async function readPrivately(file: string): Promise<string> {
  const { mode } = await stat(file)
  if (mode & 0o077) await chmod(file, 0o600)
  return readFile(file, 'utf8')
}

/** Whole or not at all, and never over another: of two processes that make one at once, both go on with the first. */
async function makeSecret(file: string): Promise<void> {
  const draft = `${file}.${randomBytes(8).toString('hex')}`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(`${randomBytes(32).toString('base64url')}\n`)
    await handle.sync()
    await link(draft, file)
  } catch (error) {
    if (!(error instanceof Error && Reflect.get(error, 'code') === 'EEXIST')) throw error
  } finally {
    await handle.close()
    await rm(draft, { force: true })
  }
}
