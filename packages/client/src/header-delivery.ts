import { callAuth } from './call-auth.ts'
import { leapSince, type Moment, momentOf } from './clock.ts'
import type { Context } from './context.ts'
import { alone, type Delivery, openWith } from './delivery.ts'
import { createKeeper, type OnChange } from './keeper.ts'
import { isSame, type Kept } from './kept.ts'
import { createLine } from './line.ts'
import { isPassing, MapaeError } from './mapae-error.ts'
import { once } from './once.ts'
import type { Settings } from './options.ts'
import { retried } from './pause.ts'
import { randomId } from './random-id.ts'
import { memoryStore } from './stores/memory.ts'
import { memoryKeysOf } from './stores/memory-keys.ts'
import { sendAsBearer } from './transmit.ts'

/** Milliseconds by which a proof may be wrong. */
const LEAP = 4000

/** Both tokens are in the store, and the session is bound to a key of this device where that can be. */
export function headerDelivery(settings: Settings, onChange: OnChange): Delivery {
  const store = settings.store ?? memoryStore()
  const keys = once(async () => {
    if (!store.keys) throw new MapaeError('session_ended', undefined, { endReason: 'key_lost' })
    const { createBoundKeys } = await import('./dpop.ts')
    const keys = store.keys === 'memory' ? memoryKeysOf(store) : store.keys
    return createBoundKeys(settings, keys, serverNow)
  })
  const ctx: Context = {
    ...settings,
    send: async (url, init, { access, jkt }) => {
      if (jkt === undefined) return sendAsBearer(settings, url, init, access)
      if (!url.startsWith(`${settings.url}/`)) await timeIsKnown()
      return (await keys()).send(jkt, url, init, access)
    },
    prove: async (jkt, url, access) => {
      await timeIsKnown()
      return (await keys()).prove(jkt, url, access)
    },
  }
  /** Kept beyond a logout for as long as this client lives: a known device is not held up by strangers who guess passwords. */
  let device: string | undefined
  const keeper = createKeeper(store, ctx.clock, (change, before) => {
    if (change.type === 'logged_out') forgetKey(before)
    device = before?.device ?? device
    onChange(change, before)
  })
  const main = createLine(ctx, {
    keeper,
    ask: ({ access, refresh, jkt, attempt }) =>
      callAuth(ctx, '/auth/refresh', {
        body: { refresh_token: refresh },
        credential: { access, jkt },
        attempt: attempt ?? randomId(), // a bound session does not rotate: that may be done twice
      }),
    rotates: ({ jkt }) => jkt === undefined,
    mayBeUnknown: false,
  })

  /** A proof is made for the server's time, as well as it is known (RFC 9449 §11.1). */
  const serverNow = (): number => {
    const kept = keeper.peek()
    return kept ? kept.serverTime * 1000 + keeper.age(kept) : ctx.clock.wall()
  }
  let looked: { readonly kept: Kept | undefined; readonly at: Moment } | undefined
  /**
   * When the wall clock ran ahead of the other one, the machine slept or somebody set it, and nobody can tell which: the auth server, which goes
   * by its nonces, tells its time anew with a renewal. One try for a record; without an answer the request goes out as it is.
   */
  const timeIsKnown = async (): Promise<void> => {
    const kept = keeper.peek()
    if (!looked || !isSame(looked.kept, kept)) looked = { kept, at: momentOf(ctx.clock) }
    const { at } = looked
    if (!kept || leapSince(ctx.clock, at) < LEAP) return
    looked = { kept, at: momentOf(ctx.clock) }
    await main.after(kept).catch(() => {})
  }
  /** A key without a session opens nothing, so nobody waits for its end. */
  const forgetKey = (kept: Pick<Kept, 'jkt'> | undefined): void => {
    const { jkt } = kept ?? {}
    if (jkt !== undefined)
      keys()
        .then((its) => its.forget(jkt))
        .catch(() => {})
  }
  /** A refresh token ends its session alone: no proof is needed. */
  const tellEnd = ({ refresh }: Kept): Promise<unknown> =>
    callAuth(ctx, '/auth/logout', { body: { refresh_token: refresh } })

  return {
    ctx,
    main,
    routeTo: async () => ({ line: main, byCookie: false }),
    close: keeper.close,
    open: (path, body) =>
      alone(main, async () => {
        const before = await keeper.current()
        const jkt = settings.bound && store.keys ? await (await keys()).make() : undefined
        try {
          const change = (kept: Kept): Kept => ({ ...kept, jkt })
          const known = before?.device ?? device
          const sent = { ...body, ...(known !== undefined && { device_token: known }) }
          const kept = await openWith(ctx, keeper, { path, body: sent, credential: { jkt }, change })
          // The session that this device had before would stay in the list; whether it can be ended is of no matter.
          if (kept && before) tellEnd(before).catch(() => {})
          forgetKey(kept ? before : { jkt })
          return kept
        } catch (error) {
          forgetKey({ jkt })
          throw error
        }
      }),
    reopen: async (path, body) => {
      const before = await main.find()
      const { access, jkt, device } = before ?? {}
      const change = (kept: Kept): Kept => ({ ...kept, jkt, device: kept.device ?? device })
      await alone(main, () => openWith(ctx, keeper, { path, body, credential: { access, jkt }, change }))
    },
    end: () =>
      alone(main, async () => {
        const kept = await keeper.again()
        await keeper.change(() => undefined)
        if (kept) await retried(ctx, () => tellEnd(kept), isPassing)
      }),
  }
}
