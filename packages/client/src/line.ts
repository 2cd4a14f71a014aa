import { elapsed, type Moment, momentOf } from './clock.ts'
import type { Context } from './context.ts'
import { inTurn } from './in-turn.ts'
import type { Keeper } from './keeper.ts'
import { isSame, type Kept, keptFrom } from './kept.ts'
import { isPassing, MapaeError } from './mapae-error.ts'
import { backoff, pause } from './pause.ts'
import { randomId } from './random-id.ts'
import type { Members } from './wire.ts'

/** One way to stay logged in: who keeps the record, and how it is renewed. */
export interface Way {
  readonly keeper: Keeper
  /** One request for a renewal of this record. Sends at once: what it needs is in the record. */
  readonly ask: (kept: Kept) => Promise<Members>
  /** Whether a renewal spends a generation, so that it needs an attempt id. */
  readonly rotates: (kept: Kept) => boolean
  /** Whether there may be a session that no record tells of: cookies that a page of the server set. */
  readonly mayBeUnknown: boolean
}

/** Keeps a session usable. */
export interface Line {
  readonly keeper: Keeper
  /** The session, to send a request with; renewed before when its access token is over. Undefined where there is none. */
  ticket(): Promise<Kept | undefined>
  /** The same; where there may be a session that no record tells of, the server is asked for it, every half a minute at most. */
  find(): Promise<Kept | undefined>
  /** The session after that one: somebody else's renewal when there was one, else a new one. Throws `session_ended`. */
  after(kept: Kept | undefined): Promise<Kept>
  /** Resolves when no renewal is under way, or after two seconds. */
  idle(): Promise<void>
}

/** Milliseconds in which one renewal is tried. */
const BUDGET = 15_000
/** Milliseconds that a record may have waited before it is sent. */
const FRESH = 5000
/** Milliseconds that log in and log out wait for a renewal. */
const WAIT = 2000
/** Milliseconds for which nobody is taken to be logged in after the server said so. */
const ABSENT = 30_000

export function createLine(ctx: Context, way: Way): Line {
  const { keeper } = way
  let underWay: Promise<Kept> | undefined
  /** An answer that asked to wait, and until when. */
  let hushed: { readonly error: MapaeError; readonly since: Moment } | undefined

  const renew = (stale: Kept | undefined): Promise<Kept> => {
    underWay ??= renewUnlessHushed(stale).finally(() => {
      underWay = undefined
    })
    return underWay
  }
  const renewUnlessHushed = async (stale: Kept | undefined): Promise<Kept> => {
    if (hushed && elapsed(ctx.clock, hushed.since) < (hushed.error.retryAfter ?? 0) * 1000) throw hushed.error
    hushed = undefined
    try {
      return await inTurn(keeper.name, () => renewal(ctx, way, stale))
    } catch (error) {
      if (isPassing(error) && error.retryAfter) hushed = { error, since: momentOf(ctx.clock) }
      throw error
    }
  }
  const ticket = async (): Promise<Kept | undefined> => {
    const kept = keeper.peek() ?? (await keeper.current())
    if (!kept?.sid) return undefined
    const left = kept.expiresIn * 1000 - keeper.age(kept)
    // A tenth of its life before its end.
    const early = Math.min(30_000, kept.expiresIn * 100) * jitter
    if (left > early) return kept
    const renewed = renew(kept)
    if (left <= early / 5) return renewed
    renewed.catch(() => {}) // there is time still; whoever comes when there is none hears what is wrong
    return kept
  }
  const after = async (kept: Kept | undefined): Promise<Kept> => {
    const now = await keeper.again()
    return now?.sid && !isSame(now, kept) && !isOver(way, now) ? now : renew(now)
  }
  /** Spread by a quarter, so that tabs do not all go at once. */
  const jitter = 0.75 + ctx.random() / 2
  let absent: Moment | undefined
  return {
    keeper,
    ticket,
    after,
    find: async () => {
      const kept = await ticket()
      if (kept || !way.mayBeUnknown) return kept
      if (absent && elapsed(ctx.clock, absent) < ABSENT) return undefined
      try {
        return await after(undefined)
      } catch (error) {
        if (!(error instanceof MapaeError) || error.code !== 'session_ended') throw error
        absent = momentOf(ctx.clock)
        return undefined
      }
    },
    idle: async () => {
      if (underWay) await Promise.race([underWay.catch(() => {}), ctx.clock.sleep(WAIT)])
    },
  }
}

function isOver({ keeper }: Way, kept: Kept): boolean {
  return keeper.age(kept) >= kept.expiresIn * 1000
}

/** Tries until there is an answer, each time with what the store says by then. */
async function renewal(ctx: Context, way: Way, stale: Kept | undefined): Promise<Kept> {
  const began = momentOf(ctx.clock)
  for (let tries = 0; ; tries++) {
    const before = momentOf(ctx.clock)
    const kept = await prepared(ctx, way)
    if (!kept) throw ended('logout')
    // The tab may have been frozen since it read that: it reads again rather than send what may be old by now.
    if (elapsed(ctx.clock, before) > FRESH && tries < 9) continue
    if (kept.sid && !isSame(kept, stale) && !isOver(way, kept)) return kept
    try {
      return await answered(ctx, way, kept)
    } catch (error) {
      const reason = lossOf(error, tries)
      if (reason !== undefined) {
        const now = await way.keeper.change((now) => (isSame(now, kept) ? undefined : now), reason)
        if (!now) throw ended(reason, error)
        continue
      }
      const wait = waitBefore(ctx, tries, error)
      if (wait === undefined || elapsed(ctx.clock, began) + wait > BUDGET) throw error
      await pause(ctx, wait)
    }
  }
}

/**
 * The record with the attempt id of its renewal, which is safe in the store before the request goes out: whoever tries to renew this
 * generation, in whatever tab, now or after a crash, uses the same one.
 */
function prepared(ctx: Context, { keeper, rotates, mayBeUnknown }: Way): Promise<Kept | undefined> {
  const attempt = randomId()
  return keeper.change((kept) => {
    if (kept) return kept.attempt === undefined && rotates(kept) ? { ...kept, attempt } : kept
    const unknown = { sid: '', n: 0, at: ctx.clock.wall(), serverTime: 0, expiresIn: 0 }
    return mayBeUnknown ? { ...unknown, attempt } : undefined
  })
}

/** Kept before it is used, and only in place of the record that was renewed: a late answer replaces nothing newer. */
async function answered(ctx: Context, { keeper, ask }: Way, kept: Kept): Promise<Kept> {
  const at = ctx.clock.wall()
  const answer = await ask(kept)
  const renewed = keptFrom(answer, at, kept)
  const now = await keeper.change((before) => (isSame(before, kept) ? renewed : before))
  if (!now) throw ended('logout')
  return now
}

const endings = /^(session_ended|invalid_grant|invalid_token|(access|refresh)_token_required)$/

/** Why a session is over, if that is what an error says. */
function lossOf(error: unknown, tries: number): string | undefined {
  if (!(error instanceof MapaeError)) return undefined
  if (endings.test(error.code)) return error.endReason ?? error.code
  return error.code === 'refresh_superseded' && tries >= 3 ? error.code : undefined
}

/** Milliseconds to wait before the next try; undefined when there is no use in one. */
function waitBefore(ctx: Context, tries: number, error: unknown): number | undefined {
  if (!(error instanceof MapaeError) || error.code === 'offline') return undefined
  // Somebody has the newer one, and it may be on its way into the store.
  if (error.code === 'refresh_superseded') return backoff(ctx, tries + 2)
  if (!isPassing(error)) return undefined
  return error.retryAfter === undefined ? backoff(ctx, tries) : error.retryAfter * 1000
}

function ended(endReason: string, cause?: unknown): MapaeError {
  return new MapaeError('session_ended', endReason, { endReason, cause })
}
