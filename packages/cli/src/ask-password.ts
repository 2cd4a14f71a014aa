import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { CommandError } from './command-error.ts'
import type { Io } from './io.ts'

/** Asks for a new password on the terminal, twice, and shows nothing of it. */
export async function askPassword({ stdin, stderr }: Io): Promise<string> {
  // Line editing works as usual; what it would show goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 })
  let interrupted = false
  terminal.once('SIGINT', () => {
    interrupted = true
    terminal.close()
  })
  const lines = terminal[Symbol.asyncIterator]()
  const ask = async (question: string): Promise<string> => {
    stderr.write(question)
    const { done, value } = await lines.next()
    stderr.write('\n')
    if (!done) return value
    throw interrupted
      ? new CommandError('Nothing was done.', { exitCode: 130 })
      : new CommandError('No password was given.')
  }
  try {
    const password = await ask('Password: ')
    if ((await ask('Once more: ')) === password) return password
  } finally {
    terminal.close()
  }
  throw new CommandError('The two passwords are not the same.')
}
