import { sendAsBearer } from './bearer.ts'
import { callAuth } from './call-auth.ts'
import type { Context, Credential } from './context.ts'
import { type Delivery, ended, openWith } from './delivery.ts'
import { createKeeper, type OnChange, openChannel } from './keeper.ts'
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
  const ask = async (_: Kept, stop: AbortSignal) => {
    await before()
    return callAuth(ctx, '/auth/token', { stop })
  }
  const keeper = createKeeper(memoryStore(), ctx.clock, onChange)
  const lent: Context = { ...ctx, send: (url, init, { access }) => sendAsBearer(ctx, url, init, access) }
  return createLine(lent, { keeper, ask, rotates: () => false, byCookie: false, mayBeUnknown: true })
}

/**
 * Cookie delivery for a page of another origin: the cookies are the auth server's, this page lives on loans. Its tabs share no record, and
 * tell one another when somebody logs in or out.
 */
export function loanDelivery(ctx: Context, onChange: OnChange): Delivery {
  const main = loanLine(ctx, onChange)
  const { ctx: lent, keeper } = main
  const follow = async (isLogin: boolean): Promise<void> => {
    await keeper.change(() => undefined)
    if (isLogin) await main.after(undefined)
  }
  const channel = openChannel(`loan ${ctx.url}`, (message) => {
    follow(message === LOGIN).catch(() => {}) // whoever needs a token next hears of it
  })
  const open = async (path: string, body: object, credential: Credential = {}): Promise<Kept | undefined> => {
    const change = (kept: Kept): Kept => ({ ...kept, expiresIn: 0 })
    const kept = await main.alone(() => openWith(lent, keeper, { path, body, credential, change }))
    const loan = kept && (await firstLoan(main, kept))
    if (loan) channel?.postMessage(LOGIN)
    return loan
  }
  return {
    ctx,
    main,
    lineTo: async () => main,
    close: () => channel?.close(),
    open,
    reopen: async (path, body) => {
      // The access token in the cookie has expired: nobody renews it here.
      await open(path, body, { access: (await main.find())?.access })
    },
    end: () =>
      main.alone(async () => {
        await ended(ctx, main)
        channel?.postMessage(LOGOUT)
      }),
  }
}

const LOGIN = 'login'
const LOGOUT = 'logout'

/** The first loan shows that the cookies were kept. */
async function firstLoan(line: Line, kept: Kept): Promise<Kept> {
  try {
    return await line.after(kept)
  } catch (cause) {
    if (!(cause instanceof MapaeError) || cause.endReason !== 'refresh_token_required') throw cause
    throw new MapaeError('cookies_blocked', undefined, { cause })
  }
}
