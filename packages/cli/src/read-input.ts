import { CommandError } from './command-error.ts'
import type { Input } from './io.ts'

const LARGEST = 1_000_000

/** All of standard input as text. Refuses more than a megabyte: what is read here is a token, a password or claims. */
export async function readInput(stdin: Input): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > LARGEST) throw new CommandError('There is more on standard input than a megabyte.')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}
