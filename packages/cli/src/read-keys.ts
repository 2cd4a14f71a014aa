import { readFile } from 'node:fs/promises'
import {
  type Algorithm,
  createJwkSet,
  importKey,
  type Jwk,
  type JwkSet,
  JwtError,
  type Key,
} from '@mapae/jwt'
import { CommandError } from './command-error.ts'
import { fileProblem } from './file-problem.ts'

/** How a key file is to be read, where it does not say so itself. */
export interface KeyHints {
  /** Checked by the import. */
  readonly alg?: string | undefined
  readonly kid?: string | undefined
  /** The name of a key that brings none. */
  readonly defaultKid?: string | undefined
}

/** The one key in a file: a PEM or a JWK. */
export async function readKey(path: string, hints: KeyHints = {}): Promise<Key> {
  const content = await readKeyFile(path)
  if (isSet(content)) throw new CommandError(`The file ${path} holds a key set; one key is needed.`)
  return importFrom(path, content, hints)
}

/** The keys in a file: a PEM, a JWK or a JWK Set. */
export async function readKeys(path: string, hints: KeyHints = {}): Promise<Key | JwkSet> {
  const content = await readKeyFile(path)
  if (!isSet(content)) return importFrom(path, content, hints)
  return naming(path, () => createJwkSet(content))
}

type KeyFile = string | Jwk | { readonly keys: readonly Jwk[] }

async function readKeyFile(path: string): Promise<KeyFile> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new CommandError(`The key file ${path} cannot be read: ${fileProblem(cause)}.`, { cause })
  }
  if (!text.trimStart().startsWith('{')) return text
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new CommandError(`The key file ${path} is not JSON.`, { cause })
  }
}

function importFrom(path: string, content: string | Jwk, { alg, kid, defaultKid }: KeyHints): Key {
  const own = typeof content === 'string' ? undefined : content.kid
  return naming(path, () => importKey(content, { alg: asAlgorithm(alg), kid: kid ?? own ?? defaultKid }))
}

/** The import refuses a name that is no algorithm. */
function asAlgorithm(name: string | undefined): Algorithm | undefined {
  return name as Algorithm | undefined
}

function naming<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof JwtError)) throw error
    throw new CommandError(`The key file ${path} cannot be used: ${error.description}`, { cause: error })
  }
}

function isSet(content: KeyFile): content is { readonly keys: readonly Jwk[] } {
  return typeof content === 'object' && Array.isArray(content['keys'])
}
