import { randomInt } from 'node:crypto'
import { audit, record } from './audit.ts'
import type { Context, Origin } from './context.ts'
import type { Failure } from './failure-log.ts'
import type { Identifier } from './identifier.ts'
import { SPRAYING_WINDOW } from './spraying.ts'
import { countSetting } from './store/settings.ts'

/**
 * Tells of a wrong password and writes it down: every one is told, but of a flood only so many a minute are
 * written, with the number of those that were left out, so that nobody fills the disk with guesses. Guesses at
 * accounts that do not exist leave the lines of those that do alone; so that nobody tells one from the other by the time it takes, what is
 * left out is counted by a write as well.
 */
export async function tellFailure(ctx: Context, failure: Failure, from: Origin): Promise<void> {
  const line = ctx.failures.admit(failure)
  if (line) await record(ctx.store.db, { ...failure, detail: { ...failure.detail, ...left(line) } }, from)
  else await countSetting(ctx.store.db, `failures_unwritten.${randomInt(COUNTERS)}`)
  ctx.emit(failure)
}

/** Any of so many rows, or replicas would wait for each other. */
const COUNTERS = 64

function left({ unwritten }: { readonly unwritten: number }): { readonly unwritten?: number } {
  return unwritten > 0 ? { unwritten } : {}
}

/** Watches a failed login; password spraying is written down and told, once in ten minutes by each process. */
export async function watchForSpraying(
  ctx: Context,
  typed: Pick<Identifier, 'kind' | 'value'>,
  from: Origin,
): Promise<void> {
  const seen = ctx.spraying.failed(typed, from)
  if (!seen) return
  const detail = { ...seen, seconds: SPRAYING_WINDOW / 1000 }
  await audit(ctx, { type: 'login.spraying_seen', at: ctx.clock(), accountId: null, detail })
}
