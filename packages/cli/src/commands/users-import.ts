import { createReadStream } from 'node:fs'
import type { Auth, ImportOutcome } from '@mapae/server'
import { type Command, defineCommand } from '../command.ts'
import { CommandError } from '../command-error.ts'
import { fileProblem } from '../file-problem.ts'
import type { Io } from '../io.ts'
import { printable } from '../printable.ts'
import { type Line, readLines } from '../read-lines.ts'
import { storeFlags } from '../settings.ts'
import { withAuth } from '../with-auth.ts'

const LONGEST_LINE = 65_536
/** Users in one call, which are saved together. */
const AT_ONCE = 100

export const usersImport: Command = defineCommand({
  name: 'users import',
  summary: 'Take over users of another system, with their password hashes',
  words: { usage: 'FILE|-', least: 1, most: 1 },
  flags: storeFlags,
  notes: [
    'FILE has a JSON object a line: email, username or both; and as they are known password_hash (argon2, bcrypt, scrypt, PBKDF2), email_verified, name, roles, scopes, disabled, created_at (seconds), id, and the claims of a profile.',
    'Who is there already stays as they are, so an import that broke off is run again from the start. Lines that are refused are named on standard error, and then the exit code is 1.',
  ],
  examples: ['mapae users import users.jsonl', 'zcat users.jsonl.gz | mapae users import -'],
  async work({ flags, words: [file = ''] }, io) {
    const count = await withAuth(flags, io, ({ api }) => importLines(api, linesOf(file, io), io))
    const { imported, duplicate, refused } = count
    io.stdout.write(`Imported ${imported}; ${duplicate} were there already; ${refused} refused.\n`)
    return refused === 0 ? 0 : 1
  },
})

type Count = Record<ImportOutcome['type'], number>

async function importLines(api: Auth['api'], lines: AsyncIterable<Line>, io: Io): Promise<Count> {
  const count: Count = { imported: 0, duplicate: 0, refused: 0 }
  for await (const batch of batches(lines)) {
    const readings = batch.map(readUser)
    const outcomes = await api.importUsers(readings.map(({ user }) => user))
    for (const [index, { number, reason }] of readings.entries()) {
      const outcome = reason === undefined ? outcomes[index] : ({ type: 'refused', reason } as const)
      if (!outcome) continue
      count[outcome.type]++
      tell(number, outcome, io)
    }
  }
  return count
}

async function* batches(lines: AsyncIterable<Line>): AsyncGenerator<readonly Line[]> {
  let batch: Line[] = []
  for await (const line of lines) {
    if (line.text?.trim() === '') continue
    batch.push(line)
    if (batch.length < AT_ONCE) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** A line that holds no JSON goes on as nothing, which the server refuses; its reason is told here. */
function readUser({ number, text }: Line): { number: number; user?: unknown; reason?: string } {
  if (text === undefined)
    return { number, reason: `It has more than ${LONGEST_LINE} bytes, or is not UTF-8.` }
  try {
    return { number, user: JSON.parse(text) }
  } catch {
    return { number, reason: 'It is not JSON.' }
  }
}

function tell(number: number, outcome: ImportOutcome, { stderr }: Io): void {
  switch (outcome.type) {
    case 'imported':
      return
    case 'duplicate':
      stderr.write(`line ${number}: is there already\n`)
      return
    case 'refused':
      stderr.write(`line ${number}: ${printable(outcome.reason)}\n`)
      return
  }
}

async function* linesOf(file: string, { stdin }: Io): AsyncGenerator<Line> {
  try {
    yield* readLines(file === '-' ? stdin : createReadStream(file), LONGEST_LINE)
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause
    throw new CommandError(`The file ${printable(file)} cannot be read: ${fileProblem(cause)}.`, { cause })
  }
}
