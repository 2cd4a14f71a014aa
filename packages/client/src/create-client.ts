import type { Account } from './account.ts'
import { authorizedFetch } from './authorized-fetch.ts'
import { type Change, type Client, type LoginResult, type Session, sessionOf } from './client.ts'
import { cookieDelivery } from './cookie-delivery.ts'
import type { Kept } from './kept.ts'
import { MapaeError } from './mapae-error.ts'
import { once } from './once.ts'
import { type ClientOptions, parseOptions } from './options.ts'

/**
 * Makes a client of an auth server: log in once, and from then on `client.fetch` is `fetch`. Throws `MapaeError`
 * `options_invalid`.
 */
export function createClient(options: ClientOptions): Client {
  const settings = parseOptions(options)
  const listeners = new Set<(change: Change) => void>()
  const onChange = (change: Change): void => {
    // Each by itself: what a listener throws is the app's to see, and breaks no renewal and no login.
    for (const listener of listeners) queueMicrotask(() => listener(change))
  }
  const delivery = once(async () =>
    settings.delivery === 'cookie'
      ? cookieDelivery(settings, onChange)
      : (await import('./header-delivery.ts')).headerDelivery(settings, onChange),
  )
  delivery().catch(() => {}) // it listens to other tabs; whoever needs it hears of a failure

  const account = once(async () => (await import('./account.ts')).accountOf(await delivery()))
  const loaded =
    <In extends unknown[], Out>(pick: (its: Account) => (...given: In) => Promise<Out>) =>
    async (...given: In): Promise<Out> =>
      pick(await account())(...given)
  const sessionFrom = async (kept: Kept, fresh?: boolean): Promise<Session> =>
    kept.user && !fresh ? sessionOf(kept, kept.user) : (await account()).look(kept)
  const opened = async (path: string, body: object): Promise<LoginResult | undefined> => {
    const kept = await (await delivery()).open(path, body)
    return kept && { type: 'logged_in', session: await sessionFrom(kept) }
  }
  return {
    register: async (registration) => (await opened('/auth/register', registration)) ?? { type: 'mail_sent' },
    login: async (login) => {
      const result = await opened('/auth/login', login)
      if (!result) throw new MapaeError('answer_not_understood')
      return result
    },
    logout: async () => (await delivery()).end(),
    fetch: async (input, init) => authorizedFetch(await delivery(), input, init),
    session: async ({ fresh } = {}) => {
      const { main } = await delivery()
      const known = await main.keeper.current() // also when its token is over and there is no network
      const kept = known?.sid ? known : await main.find()
      return kept && sessionFrom(kept, fresh)
    },
    changePassword: loaded((it) => it.changePassword),
    sessions: {
      list: loaded((it) => it.list),
      end: loaded((it) => it.end),
      endOthers: loaded((it) => it.endOthers),
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    accessToken: loaded((it) => it.accessToken),
    credential: loaded((it) => it.credential),
    diagnose: loaded((it) => it.diagnose),
    close: () => {
      listeners.clear()
      delivery()
        .then(({ close }) => close())
        .catch(() => {})
    },
  }
}
