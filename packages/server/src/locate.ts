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
const LONGEST = 80

/**
 * Asks the app's `locate` hook where an address is. Never fails and never takes long: without an answer in time there is no
 * place. The address goes nowhere else and is not kept; of the place a line of 80 characters is.
 */
export function createLocate(locate: Locate | undefined, report: (error: unknown) => void): Locator {
  let underWay = 0

  return async (address) => {
    if (!locate || address === null || underWay >= MOST_AT_ONCE) return null
    return inTime(ask(locate, address))
  }

  async function ask(locate: Locate, address: string): Promise<string | null> {
    underWay++
    try {
      return oneLine(await locate(address))
    } catch (error) {
      report(error)
      return null
    } finally {
      underWay--
    }
  }
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
