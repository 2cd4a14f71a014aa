import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CommandError } from './command-error.ts'
import type { Io } from './io.ts'

/** Asks for a new password on the terminal, twice, and shows nothing of it. */
export async function askPassword(io: Io): Promise<string> {
  const password = await ask('Password: ', io)
  if ((await ask('Once more: ', io)) === password) return password
  throw new CommandError('The two passwords are not the same.')
}

/** Line editing works as usual; what it would show goes nowhere. */
function ask(question: string, { stdin, stderr }: Io): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 })
  stderr.write(question)
  return new Promise<string>((resolve, reject) => {
    lines.once('line', resolve)
    lines.once('SIGINT', () => reject(new CommandError('Nothing was done.', { exitCode: 130 })))
    lines.once('close', () => reject(new CommandError('No password was given.')))
  }).finally(() => {
    stderr.write('\n')
    lines.close()
  })
}
