import { type Environment, readEnvironment } from './environment.ts'

/** What the command talks to: a terminal, a pipe, or a test. */
export interface Io {
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  readonly environment: Environment
  /** The time in milliseconds. */
  readonly clock: () => number
  /** When the command began, by `performance.now()`. @default 0, when the process began */
  readonly since?: number
}

export interface Input extends NodeJS.ReadableStream {
  readonly isTTY?: boolean | undefined
}

export interface Output {
  /** Calls `done` once the text is gone, or cannot go; false: there is no room for more before that. */
  write(text: string, done?: () => void): unknown
  /** False when nobody reads any more. */
  readonly writable?: boolean | undefined
  readonly isTTY?: boolean | undefined
}

export function processIo(since = 0): Io {
  const { stdin, stdout, stderr } = process
  return { stdin, stdout, stderr, environment: readEnvironment(), clock: Date.now, since }
}
