import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  use,
  useContext,
  useSyncExternalStore,
} from 'react'
import type { Change, Client, Session } from './client.ts'

/** Gives a client to everything below. */
export function MapaeProvider({
  client,
  children,
}: {
  readonly client: Client
  readonly children?: ReactNode
}): ReactElement {
  return createElement(ClientContext, { value: client }, children)
}

/** The client of the nearest `<MapaeProvider>`. */
export function useClient(): Client {
  const client = useContext(ClientContext)
  if (!client) throw new Error('There is no <MapaeProvider> above.')
  return client
}

/**
 * Who is logged in, undefined when nobody is; changes with the session, in whatever tab. Suspends until that is known, and throws to the
 * nearest error boundary when it cannot be found out. Where pages are rendered on a server nobody is logged in.
 */
export function useSession(): Session | undefined {
  const view = viewOf(useClient())
  return use(useSyncExternalStore(view.subscribe, view.read, nobody))
}

/** Shows its children to whoever is logged in, and `fallback` to everybody else. */
export function Authenticated({
  fallback = null,
  children,
}: {
  readonly fallback?: ReactNode
  readonly children?: ReactNode
}): ReactNode {
  return useSession() ? children : fallback
}

const ClientContext = createContext<Client | undefined>(undefined)

/** What components see of a client: one promise for as long as nothing changes, as React wants it. */
interface View {
  readonly subscribe: (listener: () => void) => () => void
  readonly read: () => Promise<Session | undefined>
}

const views = new WeakMap<Client, View>()

function viewOf(client: Client): View {
  const view = views.get(client) ?? createView(client)
  views.set(client, view)
  return view
}

/** Listens for as long as the client lives, so that nothing is missed between a first look and its component's effects. */
function createView(client: Client): View {
  let session: Promise<Session | undefined> | undefined
  const listeners = new Set<() => void>()
  const look = (change: Change): void => {
    if (change.type === 'renewed' || change.type === 'store_failed') return // who is logged in stays the same
    const next = change.type === 'logged_out' ? nobody() : client.session()
    // Shown when it is known: a change must not take the page away.
    next.then(
      () => show(next),
      () => show(next),
    )
  }
  const show = (next: Promise<Session | undefined>): void => {
    session = next
    for (const listener of listeners) listener()
  }
  client.onChange(look)
  return {
    read: () => {
      session ??= client.session()
      // Whoever resets the error boundary looks again.
      session.catch(() => {
        session = undefined
      })
      return session
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

const nobodyIsLoggedIn: Promise<undefined> = Promise.resolve(undefined)

function nobody(): Promise<undefined> {
  return nobodyIsLoggedIn
}
