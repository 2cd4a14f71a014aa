import { processIo } from './io.ts'
import { run } from './run.ts'

/**
 * Runs the command as this process and resolves to its exit code. `since` is when the work on it began, by `performance.now()`:
 * 0, the beginning of the process, unless something else was done before. What it makes is for this user alone; what stands behind its
 * name, a database's password or a token, is not for everyone who lists processes.
 */
export async function main(
  argv: readonly string[],
  { since = 0 }: { readonly since?: number } = {},
): Promise<number> {
  process.umask(0o077)
  process.title = 'mapae'
  outliveReaders()
  return run(argv, processIo(since))
}

/** A reader that has seen enough (`mapae users list | head`) is no failure, and must not take a server down. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (Reflect.get(error, 'code') !== 'EPIPE') throw error
    })
  }
}
