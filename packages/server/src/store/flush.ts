import { type FileHandle, open } from 'node:fs/promises'
import { setImmediate } from 'node:timers'
import { StoreError } from './store-error.ts'

/** Brings what was written to a file to the disk. */
export interface Flush {
  /** Opens the file, which must be there. */
  open(path: string): Promise<void>
  /**
   * Resolves once everything that was written before the call would survive a power failure. It waits on Node's thread pool, and
   * those that ask while one flush is under way share the next. Once one has failed nobody can tell what is on the disk, so that all later
   * ones fail as well.
   */
  flushed(): Promise<void>
  /** Throws `StoreError` `unavailable` when a flush has failed. */
  refuseAfterFailure(): void
  /** After what was asked for. */
  close(): Promise<void>
}

/**
 * One flush at a time, however long it takes: of two at once the system tells but one that writing has failed, and the other would
 * answer for what is not there.
 */
export function createFlush(): Flush {
  let handle: FileHandle | undefined
  let failure: StoreError | undefined
  let underWay: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined

  async function flush(): Promise<void> {
    refuseAfterFailure()
    try {
      if (!handle) throw new Error('the log is not open')
      await handle.datasync()
    } catch (cause) {
      failure = new StoreError('unavailable', cause)
      throw failure
    }
  }

  /** Those that ask in the same turn of the event loop share it too. */
  async function begin(before: Promise<void>): Promise<void> {
    await before.catch(() => {})
    await new Promise(setImmediate)
    next = undefined
    underWay = flush()
    return underWay
  }

  function refuseAfterFailure(): void {
    if (failure) throw failure
  }

  return {
    async open(path) {
      handle ??= await open(path, 'r+')
    },
    flushed() {
      next ??= begin(underWay)
      return next
    },
    refuseAfterFailure,
    async close() {
      await next?.catch(() => {})
      await handle?.close()
    },
  }
}
