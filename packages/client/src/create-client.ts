import { authorizedFetch } from './authorized-fetch.ts'
import type { BoundKeys } from './bound-keys.ts'
import { refusal } from './call-auth.ts'
import { type Change, type Client, type LoginResult, type Session, sessionOf } from './client.ts'
import type { Context } from './context.ts'
import type { OnChange } from './keeper.ts'
import type { Kept } from './kept.ts'
import { cookieLines, headerLines } from './lines.ts'
import { MapaeError } from './mapae-error.ts'
import { type Door, endSession, forgetKey, openSession } from './open-session.ts'
import { type ClientOptions, parseOptions, type Settings } from './options.ts'
import type { Store } from './store.ts'
import { memoryStore } from './stores/memory.ts'
import { sharedStore } from './stores/shared.ts'
import { readUser, type User } from './user.ts'
import { type Members, parseMembers } from './wire.ts'

/**
 * Makes a client of an auth server: log in once, and from then on `client.fetch` is `fetch`. Throws `MapaeError`
 * `options_invalid`.
 */
export function createClient(options: ClientOptions): Client {
  const settings = parseOptions(options)
  const store = settings.store ?? defaultStore(settings)
  const listeners = new Set<(change: Change) => void>()
  const onChange: OnChange = (change, before) => {
    if (change.type === 'logged_out' && before?.jkt !== undefined) forgetKey(ctx, before.jkt)
    for (const listener of listeners) listener(change)
  }
  const ctx: Context = {
    ...settings,
    boundKeys: once(() => loadBoundKeys(ctx, store)),
    serverNow: () => {
      const kept = keeper.peek()
      return kept?.serverTime ? kept.serverTime * 1000 + keeper.age(kept) : ctx.clock.wall()
    },
  }
  const makeLines = ctx.delivery === 'cookie' ? cookieLines : headerLines
  const { main, routeTo, keepers } = makeLines(ctx, store, onChange)
  const { keeper } = main
  const door: Door = { ctx, line: main, binds: ctx.bound && store.keys !== undefined }

  const fetch: Client['fetch'] = (input, init) => authorizedFetch(ctx, routeTo, input, init)
  const ask = async (path: string, init?: RequestInit): Promise<Members> => {
    const response = await fetch(ctx.url + path, init)
    const answer = parseMembers(await response.text())
    if (!response.ok) throw refusal(response, answer)
    return answer
  }
  const withUser = async (kept: Kept): Promise<Session> => {
    const user = readUser((await ask('/auth/me'))['user'])
    if (!user) throw new MapaeError('answer_not_understood')
    const now = await keeper.change((now) => (now?.sid === kept.sid ? { ...now, user } : now))
    return sessionOf({ ...(now ?? kept), user })
  }
  const loggedIn = async (kept: Kept): Promise<LoginResult> => ({
    type: 'logged_in',
    session: hasUser(kept) ? sessionOf(kept) : await withUser(kept),
  })

  const account = once(async () => (await import('./account.ts')).accountOf(door, ask))

  return {
    register: async (registration) => {
      const kept = await openSession(door, '/auth/register', registration)
      return kept ? loggedIn(kept) : { type: 'mail_sent' }
    },
    login: async (login) => {
      const kept = await openSession(door, '/auth/login', login)
      if (!kept) throw new MapaeError('answer_not_understood')
      return loggedIn(kept)
    },
    logout: () => endSession(door),
    changePassword: async (change) => (await account()).changePassword(change),
    fetch,
    session: async ({ fresh = false } = {}) => {
      const known = await keeper.current()
      if (known?.sid && hasUser(known) && !fresh) return sessionOf(known)
      const kept = await main.find()
      if (!kept) return undefined
      return hasUser(kept) && !fresh ? sessionOf(kept) : withUser(kept)
    },
    sessions: {
      list: async () => (await account()).sessions.list(),
      end: async (id) => (await account()).sessions.end(id),
      endOthers: async () => (await account()).sessions.endOthers(),
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    accessToken: async (target = ctx.url) => (await routeTo(new URL(target)).line.find())?.access,
    diagnose: async () => [],
    close: () => {
      listeners.clear()
      for (const keeper of keepers) keeper.close()
    },
  }
}

/** With cookie delivery, what the tabs of an origin share; tokens are kept nowhere but in memory unless the app says so. */
function defaultStore({ delivery, url, pageOrigin }: Settings): Store {
  return delivery === 'cookie' && pageOrigin === url ? sharedStore(`mapae ${url}`) : memoryStore()
}

async function loadBoundKeys(ctx: Context, { keys }: Store): Promise<BoundKeys> {
  if (!keys) throw new MapaeError('session_ended', undefined, { endReason: 'key_lost' })
  const { createBoundKeys } = await import('./dpop.ts')
  return createBoundKeys(ctx, keys)
}

/** What failed is tried again by whoever asks next. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | undefined
  return () => {
    begun ??= work().catch((error: unknown) => {
      begun = undefined
      throw error
    })
    return begun
  }
}

function hasUser(kept: Kept): kept is Kept & { readonly user: User } {
  return kept.user !== undefined
}
