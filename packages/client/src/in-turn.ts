/** Milliseconds that a lock is waited for. */
const WAIT = 2000

/**
 * Does one thing after another among the tabs of an origin (Web Locks), to save requests. It proves nothing: whoever waits for two
 * seconds goes on without, since a tab that holds the lock may be frozen, and the rules of renewal make that safe.
 *
 * Who can be stopped has a `stop`, which is called for when somebody takes the lock. Who cannot takes it.
 */
export async function inTurn<T>(
  name: string | undefined,
  work: () => Promise<T>,
  stop?: AbortController,
): Promise<T> {
  const locks = globalThis.navigator?.locks
  if (!locks || name === undefined) return work()
  let begun: Promise<T> | undefined
  const begin = (): Promise<T> => {
    begun ??= work()
    return begun
  }
  const how = stop ? { signal: AbortSignal.timeout(WAIT) } : { steal: true }
  return locks.request(`mapae ${name}`, how, begin).catch((error: unknown) => {
    // It was taken. Any other failure is that of the work, or there was no lock: then it is begun without.
    if (error instanceof DOMException && error.name === 'AbortError') stop?.abort()
    return begin()
  })
}
