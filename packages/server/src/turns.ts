import { setImmediate } from 'node:timers'

/**
 * Resolves in a later turn of the event loop, for `atOnce` of those who wait in each, side by side. (It does not go by the global
 * `setImmediate`, which an app's tests may hold still.)
 */
export function createTurns(atOnce: number = Number.POSITIVE_INFINITY): () => Promise<void> {
  const waiting: (() => void)[] = []
  const next = () => {
    for (const resolve of waiting.splice(0, atOnce)) resolve()
    if (waiting.length > 0) setImmediate(next)
  }
  return () =>
    new Promise((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(next)
    })
}
