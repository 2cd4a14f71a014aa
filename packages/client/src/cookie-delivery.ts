import { callAuth } from './call-auth.ts'
import type { Context } from './context.ts'
import { type Delivery, ended, openWith } from './delivery.ts'
import { createKeeper, type OnChange } from './keeper.ts'
import type { Kept } from './kept.ts'
import { createLine } from './line.ts'
import { once } from './once.ts'
import type { Settings } from './options.ts'

/**
 * Both tokens are in cookies that no script can read, and a page of the auth server's own origin renews by them. A page of another
 * origin, and calls to other APIs, get a short access token: `loan.ts`.
 */
export async function cookieDelivery(settings: Settings, onChange: OnChange): Promise<Delivery> {
  const ctx: Context = { ...settings, send: settings.fetch }
  if (ctx.pageOrigin !== ctx.url) return (await import('./loan.ts')).loanDelivery(ctx, onChange)

  const { sharedStore } = await import('./stores/shared.ts')
  const store = sharedStore(`mapae ${ctx.url}`, { ...settings, onChange })
  const lend = () => once(async () => (await import('./loan.ts')).loanLine(ctx, () => {}, main.find))
  let loan = lend()
  const keeper = createKeeper(store, ctx.clock, (change, before) => {
    if (change.type !== 'renewed') loan = lend()
    onChange(change, before)
  })
  const main = createLine(ctx, {
    keeper,
    ask: ({ attempt }, stop) => callAuth(ctx, '/auth/refresh', { attempt, stop }),
    rotates: () => true,
    byCookie: true,
    mayBeUnknown: true,
  })
  const open = (path: string, body: object): Promise<Kept | undefined> =>
    main.alone(() => openWith(ctx, keeper, { path, body }))
  return {
    ctx,
    main,
    lineTo: async ({ origin }, inHand) => (origin === ctx.url && !inHand ? main : loan()),
    close: keeper.close,
    open,
    reopen: async (path, body) => {
      await main.find()
      await open(path, body)
    },
    end: () => main.alone(() => ended(ctx, main)),
  }
}
