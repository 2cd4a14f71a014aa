import { type FileHandle, open } from 'node:fs/promises'
import { gather } from './gather.ts'
import { StoreError } from './store-error.ts'

/** Brings what was written to a file to the disk. */
export interface Flush {
  /**
   * Resolves once everything that was written before the call would survive a power failure. It waits on Node's thread pool, and
   * those that ask while one flush is under way share the next. Once one has failed nobody can tell what is on the disk, so that all later
   * ones fail as well.
   */
  flushed(): Promise<void>
  /** Throws `StoreError` `unavailable` when a flush has failed. */
  refuseAfterFailure(): void
  close(): Promise<void>
}

/** The file is opened when it is needed first, and must be there then. */
export function createFlush(path: string): Flush {
  let opened: Promise<FileHandle> | undefined
  let failure: StoreError | undefined
  let asked = 0

  const flushTogether = gather<number, void>({
    atMost: Number.POSITIVE_INFINITY,
    keyOf: String,
    async run() {
      refuseAfterFailure()
      try {
        opened ??= open(path, 'r+')
        await (await opened).datasync()
      } catch (cause) {
        failure = new StoreError('unavailable', cause)
        throw failure
      }
      return () => {}
    },
  })

  function refuseAfterFailure(): void {
    if (failure) throw failure
  }

  return {
    flushed: () => flushTogether(asked++),
    refuseAfterFailure,
    async close() {
      const handle = await opened?.catch(() => undefined)
      await handle?.close()
    },
  }
}
