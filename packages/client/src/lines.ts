import type { Route } from './authorized-fetch.ts'
import { callAuth } from './call-auth.ts'
import type { Context } from './context.ts'
import { createKeeper, type Keeper, type OnChange } from './keeper.ts'
import type { Kept } from './kept.ts'
import { createLine, type Line } from './line.ts'
import { randomId } from './random-id.ts'
import type { Store } from './store.ts'
import { memoryStore } from './stores/memory.ts'
import type { Members } from './wire.ts'

/** How one client stays logged in. */
export interface Lines {
  /** The line that knows who is logged in. */
  readonly main: Line
  /** The line for a target, and how its access token travels. */
  readonly routeTo: (target: URL) => Route
  /** Every record, for whoever lets go. */
  readonly keepers: readonly Keeper[]
}

/** With header delivery there is one line: both tokens are in the store. */
export function headerLines(ctx: Context, store: Store, onChange: OnChange): Lines {
  const keeper = createKeeper(store, ctx.clock, onChange)
  const ask = ({ access, refresh, jkt, attempt }: Kept): Promise<Members> =>
    callAuth(ctx, '/auth/refresh', {
      body: { refresh_token: refresh },
      credential: { access, jkt },
      attempt: attempt ?? randomId(), // a bound session does not rotate: that may be done twice
    })
  const main = createLine(ctx, { keeper, ask, rotates: ({ jkt }) => jkt === undefined, mayBeUnknown: false })
  return { main, routeTo: () => ({ line: main, byCookie: false }), keepers: [keeper] }
}

/**
 * With cookie delivery a page of the auth server's own origin renews by its cookies. A page of another origin, and calls to other
 * APIs, get a short access token for memory, which spends no generation.
 */
export function cookieLines(ctx: Context, store: Store, onChange: OnChange): Lines {
  if (borrows(ctx)) {
    const keeper = createKeeper(store, ctx.clock, onChange)
    const main = createLine(ctx, { keeper, ask: () => borrow(ctx), rotates: () => false, mayBeUnknown: true })
    return { main, routeTo: () => ({ line: main, byCookie: false }), keepers: [keeper] }
  }
  const loan = createKeeper(memoryStore(), ctx.clock, () => {})
  const keeper = createKeeper(store, ctx.clock, (change, before) => {
    if (change.type !== 'renewed') loan.change(() => undefined).catch(() => {})
    onChange(change, before)
  })
  const ask = ({ attempt }: Kept): Promise<Members> => callAuth(ctx, '/auth/refresh', { attempt })
  const main = createLine(ctx, { keeper, ask, rotates: () => true, mayBeUnknown: true })

  const borrowed = createLine(ctx, {
    keeper: loan,
    ask: async () => {
      await main.ticket() // a lost answer is made good first
      return borrow(ctx)
    },
    rotates: () => false,
    mayBeUnknown: true,
  })
  const own: Route = { line: main, byCookie: true }
  const other: Route = { line: borrowed, byCookie: false }
  return {
    main,
    routeTo: ({ origin }) => (origin === ctx.url ? own : other),
    keepers: [keeper, loan],
  }
}

/** Whether this is a page of another origin, which gets its access tokens without being the one that renews. */
export function borrows({ delivery, pageOrigin, url }: Context): boolean {
  return delivery === 'cookie' && pageOrigin !== url
}

function borrow(ctx: Context): Promise<Members> {
  return callAuth(ctx, '/auth/token')
}
