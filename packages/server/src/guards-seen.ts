import { keySetVersion } from '@mapae/guard/revocations'
import type { Context } from './context.ts'
import { guardsSeen, noteGuard } from './store/guards.ts'

/** A guard that follows the revocation feed. */
export interface GuardSeen {
  /** What it calls itself: made up anew whenever it starts. */
  readonly id: string
  /** Milliseconds. */
  readonly seenAt: number
  /** Whether it holds every key that is published now. */
  readonly isReady: boolean
  /** It has shown the token of the feed. Of an open feed anybody may say that they are a guard. */
  readonly isKnown: boolean
}

/** A guard that was not heard of for so long, in milliseconds, is not waited for. */
const REMEMBERED = 600_000

/** The guards that were heard of within ten minutes, the last one first. */
export async function listGuards(ctx: Context): Promise<readonly GuardSeen[]> {
  const jwks = await ctx.signingKeys.publishedNow()
  const version = keySetVersion(jwks.map(({ kid = '', alg = '' }) => ({ kid, alg })))
  const seen = await guardsSeen(ctx.store.db, ctx.clock() - REMEMBERED)
  return seen.map(({ id, seenAt, keysVersion, isKnown }) => ({
    id,
    seenAt,
    isReady: keysVersion === version,
    isKnown,
  }))
}

/** Writes down which guards are heard of, and which keys they hold. */
export interface GuardNotes {
  /**
   * Takes the `Mapae-Guard` field of a request, `<id>; keys=<version>`; anything else is passed over, and so is what was written down a
   * minute ago. Of names that nobody had to prove there is a bound to what is written in ten minutes: {@link OF_A_NETWORK},
   * {@link OF_ALL}, {@link TIMES}.
   */
  note(
    field: string | undefined,
    from: { readonly isKnown: boolean; readonly network: string | null },
  ): Promise<void>
}

/** Milliseconds. */
const SAME_AGAIN = 60_000
/** Names from one network (IPv4 /24, IPv6 /48), and from everywhere, and how often each is written down. */
const OF_A_NETWORK = 100
const OF_ALL = 1000
const TIMES = 20

interface Noted {
  keysVersion: string
  at: number
  times: number
}

export function createGuardNotes(ctx: Context): GuardNotes {
  let window = 0
  let noted = new Map<string, Noted>()
  let unproven = new Map<string | null, number>()

  return {
    async note(field, { isKnown, network }) {
      const [, id, keysVersion] = /^([\w-]{16,64}); keys=([\w-]{1,32})$/.exec(field ?? '') ?? []
      if (id === undefined || keysVersion === undefined) return
      turn()
      const before = noted.get(id)
      if (!isKnown && isTooMuch(before, network)) return
      const at = ctx.clock()
      if (before?.keysVersion === keysVersion && at - before.at < SAME_AGAIN) return
      if (!before && !isKnown) unproven.set(network, (unproven.get(network) ?? 0) + 1)
      noted.set(id, { keysVersion, at, times: (before?.times ?? 0) + 1 })
      await noteGuard(ctx.store.db, { id, keysVersion, seenAt: at, isKnown })
    },
  }

  function turn(): void {
    const current = Math.floor(ctx.clock() / REMEMBERED)
    if (current === window) return
    window = current
    noted = new Map()
    unproven = new Map()
  }

  function isTooMuch(before: Noted | undefined, network: string | null): boolean {
    if (before) return before.times >= TIMES
    return noted.size >= OF_ALL || (unproven.get(network) ?? 0) >= OF_A_NETWORK
  }
}
