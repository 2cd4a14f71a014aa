import { constants } from 'node:os'

type StopSignal = 'SIGINT' | 'SIGTERM'

/** Ctrl-C reaches a program twice when `npm` passes it on as well: so soon after the first, a second is the same one. */
const SAME_MOMENT = 500

/**
 * Resolves with the first SIGINT or SIGTERM. From then on another one ends the process at once, until `release`.
 */
export function stopSignals(): { readonly first: Promise<StopSignal>; release(): void } {
  let listener = (_: StopSignal) => {}
  const first = new Promise<StopSignal>((resolve) => {
    let firstAt: number | undefined
    listener = (signal) => {
      const now = performance.now()
      if (firstAt === undefined) {
        firstAt = now
        resolve(signal)
      } else if (now - firstAt > SAME_MOMENT) {
        process.exit(128 + constants.signals[signal])
      }
    }
  })
  process.on('SIGINT', listener).on('SIGTERM', listener)
  return {
    first,
    release: () => void process.off('SIGINT', listener).off('SIGTERM', listener),
  }
}
