import { audit } from './audit.ts'
import type { Clock } from './clock.ts'
import type { Context, Origin } from './context.ts'
import type { Identifier } from './identifier.ts'

/** Milliseconds that are looked at together. */
const WINDOW = 600_000
/** So many different identifiers with a wrong password, and more than logins that succeeded, are no accident. */
const MANY = 50
/** More are not told apart. */
const MOST = 1000

interface Sprayed {
  readonly identifiers: number
  readonly networks: number
}

/** Sees that a few passwords are tried on many accounts, which no brake on one account or one address notices. */
export interface SprayingWatch {
  succeeded(): void
  /** What was seen, the first time in its ten minutes. */
  failed(typed: Pick<Identifier, 'kind' | 'value'>, from: Origin): Sprayed | undefined
}

/** Watches a failed login; password spraying is written down and told, once in ten minutes by each process. */
export async function watchForSpraying(
  ctx: Context,
  typed: Pick<Identifier, 'kind' | 'value'>,
  from: Origin,
): Promise<void> {
  const seen = ctx.spraying.failed(typed, from)
  if (!seen) return
  const detail = { ...seen, seconds: WINDOW / 1000 }
  await audit(ctx, { type: 'login.spraying_seen', at: ctx.clock(), accountId: null, detail })
}

export function createSprayingWatch(clock: Clock): SprayingWatch {
  let window = 0
  let successes = 0
  let told = false
  const identifiers = new Set<string>()
  const networks = new Set<string>()

  return {
    succeeded() {
      turn()
      successes++
    },
    failed({ kind, value }, { network }) {
      turn()
      if (identifiers.size < MOST) identifiers.add(`${kind}:${value}`)
      if (network !== null && networks.size < MOST) networks.add(network)
      if (told || identifiers.size < MANY || identifiers.size <= successes) return undefined
      told = true
      return { identifiers: identifiers.size, networks: networks.size }
    },
  }

  function turn(): void {
    const current = Math.floor(clock() / WINDOW)
    if (current === window) return
    window = current
    successes = 0
    told = false
    identifiers.clear()
    networks.clear()
  }
}
