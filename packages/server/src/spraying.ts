import type { Clock } from './clock.ts'
import type { Identifier } from './identifier.ts'

/** Milliseconds that are looked at together. */
export const SPRAYING_WINDOW: number = 600_000
/** So many different identifiers with a wrong password, and more than those that logged in, are no accident. */
const MANY = 50
/** More are counted without being told apart. */
const MOST = 10_000

type Named = Pick<Identifier, 'kind' | 'value'>

interface Sprayed {
  readonly identifiers: number
  readonly networks: number
}

/** Sees that a few passwords are tried on many accounts, which no brake on one account or one address notices. */
export interface SprayingWatch {
  succeeded(typed: Named): void
  /** What was seen, the first time in its ten minutes. */
  failed(typed: Named, from: { readonly network: string | null }): Sprayed | undefined
}

export function createSprayingWatch(clock: Clock): SprayingWatch {
  let window = 0
  let told = false
  let loggedIn = createTally()
  let failed = createTally()
  let networks = createTally()

  return {
    succeeded({ kind, value }) {
      turn()
      loggedIn.add(`${kind}:${value}`)
    },
    failed({ kind, value }, { network }) {
      turn()
      failed.add(`${kind}:${value}`)
      if (network !== null) networks.add(network)
      if (told || failed.count() < MANY || failed.count() <= loggedIn.count()) return undefined
      told = true
      return { identifiers: failed.count(), networks: networks.count() }
    },
  }

  function turn(): void {
    const current = Math.floor(clock() / SPRAYING_WINDOW)
    if (current === window) return
    window = current
    told = false
    loggedIn = createTally()
    failed = createTally()
    networks = createTally()
  }
}

/** How many different ones there were. */
function createTally(): { add(one: string): void; count(): number } {
  const different = new Set<string>()
  let others = 0
  return {
    add(one) {
      if (different.size < MOST) different.add(one)
      else others++
    },
    count: () => different.size + others,
  }
}
