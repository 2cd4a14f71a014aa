/** What could not be done, and the exit codes of the command: 1 it could not be done, 2 it was called wrongly. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number

  /** `message` is one sentence for a person; it never holds a token, a password or a key. */
  constructor(message: string, { exitCode = 1, cause }: { exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause })
    this.exitCode = exitCode
  }
}

/** An unknown command, or arguments that are missing or too many. */
export function usageError(message: string): CommandError {
  return new CommandError(message, { exitCode: 2 })
}
