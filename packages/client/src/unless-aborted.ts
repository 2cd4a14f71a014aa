/** Who waits for what a signal can end: one listener a signal, because runtimes warn of many. */
const waiting = new WeakMap<AbortSignal, Set<(reason: unknown) => void>>()

/** The work's outcome; whoever gives up hears so at once, and the work goes on: others may need it. */
export function unlessAborted<T>(signal: AbortSignal | null | undefined, work: Promise<T>): Promise<T> {
  if (!signal) return work
  const those = waiting.get(signal) ?? new Set()
  const abort = (): void => {
    // React Native gives no reason; there the error is that of `fetch`.
    if (signal.reason) for (const reject of those) reject(signal.reason)
  }
  if (!waiting.has(signal)) signal.addEventListener('abort', abort)
  waiting.set(signal, those)
  return new Promise((resolve, reject) => {
    those.add(reject)
    work.then(resolve, reject).finally(() => those.delete(reject))
  })
}
