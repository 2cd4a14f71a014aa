import { stopwatch } from './clock.ts'
import type { Context } from './context.ts'
import { inTurn } from './in-turn.ts'
import type { Keeper } from './keeper.ts'
import { isSame, type Kept, keptFrom } from './kept.ts'
import { hasCode, isPassing, MapaeError } from './mapae-error.ts'
import { paused, waitAsked } from './pause.ts'
import { randomId } from './random-id.ts'
import type { Members } from './wire.ts'

/** One way to stay logged in: who keeps the record, and how it is renewed. */
export interface Way {
  readonly keeper: Keeper
  /** One request for a renewal of this record. Sends at once: what it needs is in the record. */
  readonly ask: (kept: Kept, stop: AbortSignal) => Promise<Members>
  /** Whether a renewal spends a generation, so that it needs an attempt id. */
  readonly rotates: (kept: Kept) => boolean
  /** Whether the browser puts the access token into requests. */
  readonly byCookie: boolean
  /** Whether there may be a session that no record tells of: cookies that a page of the server set. */
  readonly mayBeUnknown: boolean
}

/** Keeps a session usable. */
export interface Line extends Pick<Way, 'keeper' | 'byCookie'> {
  /** What requests with this session are sent by. */
  readonly ctx: Context
  /** The session, to send a request with; renewed before when its access token is over. Undefined where there is none. */
  ticket(): Promise<Kept | undefined>
  /** The same; where there may be a session that no record tells of, the server is asked for it, every half a minute at most. */
  find(): Promise<Kept | undefined>
  /** The session after that one: somebody else's renewal when there was one, else a new one. Throws `session_ended`. */
  after(kept: Kept | undefined): Promise<Kept>
  /**
   * Logs in or out. Renewals that are under way are stopped, here and in other tabs: one that the server has done is answered again by its
   * attempt id, and a browser takes no cookies from the answer to a request that was given up. Those of this tab go on afterwards.
   */
  alone<T>(work: () => Promise<T>): Promise<T>
}

/** Milliseconds in which one renewal is tried. */
const BUDGET = 15_000
/** Milliseconds that a record may have waited before it is sent. */
const FRESH = 5000
/** Milliseconds that a server's `Retry-After` counts for: one that is wrong must not shut a page out for days. */
const HUSH = 300_000
/** Milliseconds for which nobody is taken to be logged in after the server said so. */
const ABSENT = 30_000

export function createLine(ctx: Context, way: Way): Line {
  const { keeper } = way
  let underWay: Promise<Kept> | undefined
  /** Stops the renewal that is under way. */
  let stop = new AbortController()
  /** Resolves when the last login or logout of this tab is over. */
  let alone: Promise<unknown> = Promise.resolve()
  /** The last failure that may pass, which may have asked to wait. */
  let hushed: { readonly error: MapaeError; readonly since: () => number } | undefined

  const renew = (stale: Kept | undefined): Promise<Kept> => {
    underWay ??= renewInTurn(stale).finally(() => {
      underWay = undefined
    })
    return underWay
  }
  const renewInTurn = async (stale: Kept | undefined): Promise<Kept> => {
    if (hushed && hushed.since() < Math.min(HUSH, waitAsked(hushed.error))) throw hushed.error
    stop = new AbortController()
    const { signal } = stop
    await alone
    try {
      return await inTurn(keeper.name, () => renewal(ctx, way, stale, signal), stop)
    } catch (error) {
      if (signal.aborted) return renewInTurn(stale)
      if (isPassing(error)) hushed = { error, since: stopwatch(ctx.clock) }
      throw error
    }
  }
  const ticket = async (): Promise<Kept | undefined> => {
    const kept = await keeper.current()
    if (!kept?.sid) return undefined
    const left = leftOf(way, kept)
    // A tenth of its life before its end.
    const early = Math.min(30_000, kept.expiresIn * 100) * jitter
    if (left > early) return kept
    const renewed = renew(kept)
    if (left <= early / 5) return renewed
    renewed.catch(() => {}) // there is time still; whoever comes when there is none hears what is wrong
    return kept
  }
  /** Spread by a quarter, so that tabs do not all go at once. */
  const jitter = 0.75 + ctx.random() / 2
  /** Since the server said that nobody is logged in. */
  let absent: (() => number) | undefined
  return {
    ctx,
    keeper,
    byCookie: way.byCookie,
    ticket,
    after: renew,
    find: async () => {
      const kept = await ticket()
      if (kept || !way.mayBeUnknown) return kept
      if (absent && absent() < ABSENT) return undefined
      try {
        return await renew(undefined)
      } catch (error) {
        if (!hasCode(error, /^session_ended$/)) throw error
        absent = stopwatch(ctx.clock)
        return undefined
      }
    },
    alone: (work) => {
      stop.abort()
      const done = alone.then(() => inTurn(keeper.name, work))
      alone = done.catch(() => {})
      return done
    },
  }
}

/** Milliseconds. */
function leftOf({ keeper }: Way, kept: Kept): number {
  return kept.expiresIn * 1000 - keeper.age(kept)
}

/** Tries until there is an answer, each time with what the store says by then. */
async function renewal(ctx: Context, way: Way, stale: Kept | undefined, stop: AbortSignal): Promise<Kept> {
  const sinceBegun = stopwatch(ctx.clock)
  for (let tries = 0; ; tries++) {
    const sinceRead = stopwatch(ctx.clock)
    const { kept, isGood } = await prepared(ctx, way, stale)
    if (!kept) throw ended('logout')
    // The tab may have been frozen since it read that: it reads again rather than send what may be old by now.
    if (sinceRead() > FRESH && tries < 9) continue
    if (isGood) return kept
    try {
      return await answered(ctx, way, kept, stop)
    } catch (error) {
      const reason = lossOf(error, tries)
      if (reason !== undefined) {
        const now = await way.keeper.change((now) => (isSame(now, kept) ? undefined : now), reason)
        if (!now) throw ended(reason, error)
        continue
      }
      const left = BUDGET - sinceBegun()
      const mayPass = isPassing(error) || hasCode(error, superseded)
      if (stop.aborted || !mayPass || !(await paused(ctx, tries + 2, error, left))) throw error
    }
  }
}

/**
 * The record, with the attempt id of its renewal unless it is good as it is. That is safe in the store before the request goes out: whoever tries to
 * renew this generation, in whatever tab, now or after a crash, uses the same one.
 */
async function prepared(
  ctx: Context,
  way: Way,
  stale: Kept | undefined,
): Promise<{ readonly kept: Kept | undefined; readonly isGood: boolean }> {
  const unknown: Kept = { sid: '', n: 0, at: ctx.clock.wall(), serverTime: 0, expiresIn: 0 }
  const attempt = randomId()
  let isGood = false
  const kept = await way.keeper.change((known) => {
    const kept = known ?? (way.mayBeUnknown ? unknown : undefined)
    isGood = !!kept?.sid && !isSame(kept, stale) && leftOf(way, kept) > 0
    return !kept || kept.attempt || isGood || !way.rotates(kept) ? kept : { ...kept, attempt }
  })
  return { kept, isGood }
}

/**
 * Kept before it is used, and only in place of the record that was renewed: a late answer replaces nothing newer. Where the session is another
 * one by now, such an answer may have put cookies over those of the new one: then the next renewal tells whose they are.
 */
async function answered(
  ctx: Context,
  { keeper, ask, byCookie }: Way,
  kept: Kept,
  stop: AbortSignal,
): Promise<Kept> {
  const at = ctx.clock.wall()
  const renewed = keptFrom(await ask(kept, stop), at, kept)
  const isAnother = (now: Kept): boolean => byCookie && now.sid !== renewed.sid
  const now = await keeper.change((now) => {
    if (isSame(now, kept)) return renewed
    return now && isAnother(now) ? { ...now, expiresIn: 0 } : now
  })
  if (!now) throw ended('logout')
  if (isAnother(now)) throw new MapaeError('refresh_superseded')
  return now
}

const endings = /^(session_ended|invalid_grant|invalid_token|(access|refresh)_token_required)$/
/** Somebody has the newer one, and it may be on its way into the store. */
const superseded = /^refresh_superseded$/

/** Why a session is over, if that is what an error says. */
function lossOf(error: unknown, tries: number): string | undefined {
  const isLost = hasCode(error, endings) || (tries >= 3 && hasCode(error, superseded))
  return isLost ? (error.endReason ?? error.code) : undefined
}

function ended(endReason: string, cause?: unknown): MapaeError {
  return new MapaeError('session_ended', endReason, { endReason, cause })
}
