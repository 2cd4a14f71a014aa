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
}

/** A guard that was not heard of for so long, in milliseconds, is not waited for. */
const REMEMBERED = 600_000

/** Writes down what a request's `Mapae-Guard` field says: `<id>; keys=<version>`. Anything else is passed over. */
export async function noteGuardOf(ctx: Context, field: string | undefined): Promise<void> {
  const [, id, keysVersion] = /^([\w-]{16,64}); keys=([\w-]{1,32})$/.exec(field ?? '') ?? []
  if (id === undefined || keysVersion === undefined) return
  await noteGuard(ctx.store.db, { id, keysVersion, seenAt: ctx.clock() })
}

/** The guards that were heard of within ten minutes, the last one first. */
export async function listGuards(ctx: Context): Promise<readonly GuardSeen[]> {
  const jwks = await ctx.signingKeys.publishedNow()
  const version = keySetVersion(jwks.map(({ kid = '', alg = '' }) => ({ kid, alg })))
  const seen = await guardsSeen(ctx.store.db, ctx.clock() - REMEMBERED)
  return seen.map(({ id, seenAt, keysVersion }) => ({ id, seenAt, isReady: keysVersion === version }))
}
