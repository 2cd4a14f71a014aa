import { AuthError } from '../auth-error.ts'
import { createTurns } from '../turns.ts'

/** A bounded queue: so many places, and of those who have one so many at work at once. */
export interface Queue {
  /**
   * Refuses with `busy` (503) while every place is taken, and takes none. A crowd that is refused lets others through: so many of it
   * in one turn of the event loop.
   */
  refuseWhenFull(): Promise<void>
  /** Does `visit` with a place that is taken until it is over. Refuses with `busy` (503), before anything is done, where there is none. */
  enter<T>(visit: () => Promise<T>): Promise<T>
  /** Does `work` as soon as fewer than `atOnce` are at theirs, first come, first served. For those who have entered. */
  work<T>(work: () => Promise<T>): Promise<T>
}

/** Refusals of one turn of the event loop: about a millisecond. */
const REFUSALS = 8

export function createQueue({ atOnce, waiting }: { atOnce: number; waiting: number }): Queue {
  const places = atOnce + waiting
  let taken = 0
  let working = 0
  const line: (() => void)[] = []
  const turn = createTurns(REFUSALS)

  function refuse(): void {
    if (taken >= places) throw new AuthError('busy')
  }

  return {
    async refuseWhenFull() {
      if (taken >= places) await turn()
      refuse()
    },
    async enter(visit) {
      refuse()
      taken++
      try {
        return await visit()
      } finally {
        taken--
      }
    },
    async work(work) {
      if (working >= atOnce) await new Promise<void>((resolve) => line.push(resolve))
      else working++
      try {
        return await work()
      } finally {
        const next = line.shift()
        if (next) next()
        else working--
      }
    },
  }
}
