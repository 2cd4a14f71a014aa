import { callAuth } from './call-auth.ts'
import type { Context } from './context.ts'
import { inTurn } from './in-turn.ts'
import { type Kept, keptFrom } from './kept.ts'
import type { Line } from './line.ts'
import { borrows } from './lines.ts'
import { isPassing, MapaeError } from './mapae-error.ts'
import { retried } from './pause.ts'
import type { Members } from './wire.ts'

/** What a client's sessions are opened and ended with. */
export interface Door {
  readonly ctx: Context
  readonly line: Line
  /** Whether new sessions are bound to a key of this device. */
  readonly binds: boolean
}

/** Logs in or registers: the record of the new session takes the place of what was there. Undefined where a mail comes first. */
export async function openSession(door: Door, path: string, body: object): Promise<Kept | undefined> {
  const { ctx } = door
  const before = door.line.keeper.peek()
  const kept = await alone(door, async () => {
    const jkt = door.binds ? await (await ctx.boundKeys()).make() : undefined
    try {
      const at = ctx.clock.wall()
      const answer = await callAuth(ctx, path, {
        body: { ...body, transport: ctx.delivery },
        credential: { jkt },
      })
      if (answer.status === 202) return undefined
      return await keep(door, answer, at, jkt)
    } catch (error) {
      if (jkt !== undefined) forgetKey(ctx, jkt)
      throw error
    }
  })
  if (!kept) return undefined
  if (before?.refresh !== undefined) leave(ctx, before)
  return usable(door, kept)
}

/** Ends the session at the server and on this device. */
export async function endSession(door: Door): Promise<void> {
  const { ctx, line } = door
  await alone(door, async () => {
    const kept = await line.keeper.again()
    if (ctx.delivery === 'cookie')
      await retried(ctx, () => callAuth(ctx, '/auth/logout'), { again: isPassing })
    await line.keeper.change(() => undefined, 'logout')
    if (kept?.refresh !== undefined) await retried(ctx, () => tellEnd(ctx, kept), { again: isPassing })
  })
}

/** No renewal of this tab or another may put the tokens of the old session over those of the new one. */
export function alone<T>({ line }: Door, work: () => Promise<T>): Promise<T> {
  return inTurn(line.keeper.name, async () => {
    await line.idle()
    return work()
  })
}

export async function keep(
  { ctx, line }: Door,
  answer: Members,
  at: number,
  jkt: string | undefined,
): Promise<Kept> {
  const fresh = keptFrom(answer, at)
  const kept: Kept = { ...fresh, jkt, expiresIn: borrows(ctx) ? 0 : fresh.expiresIn }
  await line.keeper.change(() => kept)
  return kept
}

/** A page of another origin holds no cookie itself: it borrows its first access token, which shows that the cookies were kept. */
export async function usable({ ctx, line }: Door, kept: Kept): Promise<Kept> {
  if (!borrows(ctx)) return kept
  try {
    return await line.after(kept)
  } catch (cause) {
    if (!(cause instanceof MapaeError) || cause.endReason !== 'refresh_token_required') throw cause
    throw new MapaeError('cookies_blocked', undefined, { cause })
  }
}

/** The session that this device had before, so that it does not stay in the list; whether that works is of no matter. */
function leave(ctx: Context, before: Kept): void {
  if (before.jkt !== undefined) forgetKey(ctx, before.jkt)
  tellEnd(ctx, before).catch(() => {})
}

/** A refresh token ends its session alone: no proof is needed. */
function tellEnd(ctx: Context, { refresh }: Kept): Promise<unknown> {
  return callAuth(ctx, '/auth/logout', { body: { refresh_token: refresh } })
}

/** A key without a session opens nothing, so nobody waits for its end. */
export function forgetKey(ctx: Context, jkt: string): void {
  ctx
    .boundKeys()
    .then((keys) => keys.forget(jkt))
    .catch(() => {})
}
