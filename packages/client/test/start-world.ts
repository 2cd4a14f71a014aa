import { type Client, type ClientOptions, createClient } from '@mapae/client'
import {
  type CookieJar,
  cookieJar,
  type DeviceClock,
  type Faults,
  type FaultyNetwork,
  faultyNetwork,
  virtualTime,
} from '@mapae/client/testing'
import type { AuthEvent, AuthOptions } from '@mapae/server'
import { databases } from '../../../test-support/databases.ts'
import { atTheEnd, PASSWORD, someEmail, startFreshAuth, URL_OF_AUTH } from '../../server/test/start-auth.ts'

export { PASSWORD, URL_OF_AUTH } from '../../server/test/start-auth.ts'

/** Seconds: the life of an access token in these tests. */
export const LIFE = 300

// Loading code takes real time, in which virtual time must not pass.
await Promise.all([
  import('../src/dpop.ts'),
  import('../src/account.ts'),
  import('../src/replay.ts'),
  import('../src/header-delivery.ts'),
  import('../src/loan.ts'),
])

/** A real auth server in this process, in virtual time. */
export async function startWorld(options: Partial<AuthOptions> = {}) {
  const [sqlite] = databases
  if (!sqlite) throw new Error('there is no database')
  const time = virtualTime()
  const { auth, events } = await startFreshAuth(sqlite, {
    clock: time.now,
    accessTokenLifetime: LIFE,
    sweepInterval: 0,
    ...options,
  })
  return {
    auth,
    events,
    time,
    /** Events of these types. */
    eventsOf: (...types: AuthEvent['type'][]) => events.filter(({ type }) => types.includes(type)),
    /** A device: its clock and its way to the server. `server`: what stands in front, such as a cookie jar. */
    device: ({
      wrongBy = 0,
      faults = {},
      random,
      server = (request) => auth.fetch(request),
    }: DeviceOptions = {}) => {
      const clock = time.device({ wrongBy })
      const network = faultyNetwork({ fetch: server, time, faults, ...(random && { random }) })
      return deviceOf(clock, network)
    },
    jar: (pageOrigin = URL_OF_AUTH): CookieJar => cookieJar((request) => auth.fetch(request), { pageOrigin }),
  }
}

export type World = Awaited<ReturnType<typeof startWorld>>

interface DeviceOptions {
  readonly wrongBy?: number
  readonly faults?: Faults
  readonly random?: () => number
  readonly server?: (request: Request) => Promise<Response>
}

function deviceOf(clock: DeviceClock, network: FaultyNetwork) {
  return {
    clock,
    network,
    /** A client of this device: one tab, one process. */
    client: (options: Partial<ClientOptions> = {}): Client => {
      const client = createClient({
        url: URL_OF_AUTH,
        clock,
        fetch: (input, init) => network.fetch(input, init),
        ...options,
      })
      atTheEnd(async () => client.close())
      return client
    },
    /** How many requests went to this path. */
    sent: (path: string) => network.requests.filter(({ url }) => new URL(url).pathname === path).length,
  }
}

export async function registered(client: Client): Promise<string> {
  const email = someEmail()
  await client.register({ email, password: PASSWORD })
  return email
}

/** The status of a call of the API. */
export async function statusOf(client: Client, path = '/auth/me'): Promise<number> {
  const response = await client.fetch(URL_OF_AUTH + path)
  await response.text()
  return response.status
}

/** What `work` throws has this code. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'nothing was thrown'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}
