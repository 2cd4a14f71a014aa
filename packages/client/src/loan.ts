import { callAuth } from './call-auth.ts'
import type { Context } from './context.ts'
import { alone, type Delivery, ended, openWith } from './delivery.ts'
import { createKeeper, type OnChange } from './keeper.ts'
import type { Kept } from './kept.ts'
import { createLine, type Line } from './line.ts'
import { MapaeError } from './mapae-error.ts'
import { memoryStore } from './stores/memory.ts'

/**
 * Short access tokens for memory, by the session's cookies (`POST /auth/token`). That spends no generation, so any number of pages may
 * do it. `before`: what makes good a lost renewal of the cookies.
 */
export function loanLine(
  ctx: Context,
  onChange: OnChange,
  before: () => Promise<unknown> = async () => {},
): Line {
  const ask = async () => {
    await before()
    return callAuth(ctx, '/auth/token')
  }
  const keeper = createKeeper(memoryStore(), ctx.clock, onChange)
  return createLine(ctx, { keeper, ask, rotates: () => false, mayBeUnknown: true })
}

/** Cookie delivery for a page of another origin: the cookies are the auth server's, this page lives on loans. */
export function loanDelivery(ctx: Context, onChange: OnChange): Delivery {
  const main = loanLine(ctx, onChange)
  const open = (path: string, body: object): Promise<Kept | undefined> =>
    alone(main, async () => {
      const kept = await openWith(ctx, main.keeper, {
        path,
        body,
        change: (kept) => ({ ...kept, expiresIn: 0 }),
      })
      return kept && firstLoan(main, kept)
    })
  return {
    ctx,
    main,
    routeTo: async () => ({ line: main, byCookie: false }),
    keepers: [main.keeper],
    open,
    reopen: async (path, body) => {
      await main.find()
      await open(path, body)
    },
    end: () => alone(main, () => ended(ctx, main)),
  }
}

/** The first loan shows that the cookies were kept. */
async function firstLoan(line: Line, kept: Kept): Promise<Kept> {
  try {
    return await line.after(kept)
  } catch (cause) {
    if (!(cause instanceof MapaeError) || cause.endReason !== 'refresh_token_required') throw cause
    throw new MapaeError('cookies_blocked', undefined, { cause })
  }
}
