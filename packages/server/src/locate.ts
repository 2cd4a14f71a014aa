import type { Clock } from './clock.ts'
import type { Origin } from './origin.ts'

/** The place of an address in a few words, or nothing. */
export type Locate = (address: string) => Placed | Promise<Placed>
type Placed = string | null | undefined

/** Never fails and never takes long; null: no place. */
export type Locator = (address: string | null) => Promise<string | null>

/** Milliseconds that a login waits for its place, at most. */
const PATIENCE = 200
/** As many may be under way; what comes on top has no place, so that a hook that hangs piles nothing up. */
const MOST_AT_ONCE = 32
/** Milliseconds after which a question that was never answered counts as over: a hook that hung is asked again, once a second on average. */
const GIVEN_UP = 30_000
const LONGEST = 80

/**
 * Asks the app's `locate` hook where an address is. Never fails and never takes long: without an answer in time there is no
 * place. The address goes nowhere else and is not kept; of the place a line of 80 characters is.
 */
export function createLocate({ locate, clock, report }: Asking): Locator {
  const underWay = new Set<Question>()

  return async (address) => {
    if (!locate || address === null || !hasRoom()) return null
    return inTime(ask(locate, address))
  }

  function hasRoom(): boolean {
    if (underWay.size < MOST_AT_ONCE) return true
    const now = clock()
    // A question of the future was asked before the clock went back.
    for (const question of underWay)
      if (now - question.askedAt >= GIVEN_UP || question.askedAt > now) underWay.delete(question)
    return underWay.size < MOST_AT_ONCE
  }

  async function ask(locate: Locate, address: string): Promise<string | null> {
    const question = { askedAt: clock() }
    underWay.add(question)
    try {
      return oneLine(await locate(address))
    } catch (error) {
      report(error)
      return null
    } finally {
      underWay.delete(question)
    }
  }
}

interface Asking {
  readonly locate: Locate | undefined
  readonly clock: Clock
  /** Hears what the hook throws. */
  readonly report: (error: unknown) => void
}

interface Question {
  readonly askedAt: number
}

/** The same source with its place. */
export async function located(ctx: { readonly locate: Locator }, from: Origin): Promise<Origin> {
  return { ...from, place: await ctx.locate(from.address) }
}

function inTime(place: Promise<string | null>): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, PATIENCE, null)
  })
  return Promise.race([place, late]).finally(() => clearTimeout(timer))
}

/** What a foreign database of places holds, as a line that may be stored and shown. */
function oneLine(place: Placed): string | null {
  if (typeof place !== 'string') return null
  const line = place.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim()
  return [...line].slice(0, LONGEST).join('') || null
}
