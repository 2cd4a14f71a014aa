import { type Auth, type AuthEvent, createAuth } from '@mapae/server'
import { hash } from '@node-rs/argon2'
import type { databases } from '../../../../test-support/databases.ts'
import type { Device } from '../../../../test-support/device.ts'
import { type Answer, callerOf, PASSWORD, START, URL_OF_AUTH } from '../start-auth.ts'
import { type Hands, openHands } from './hands.ts'
import type { Settings } from './rules.ts'

export const settings: Settings = {
  reuseInterval: 30_000,
  idleLifetime: 3_600_000,
  lifetime: 3_900_000,
}
/** Seconds. */
export const ACCESS_LIFETIME = 300

const SECRETS = {
  A: 'server secret A for the model, 32 characters or more',
  B: 'server secret B for the model, 32 characters or more',
}
const PERSON = { email: 'everybody@example.com', password: PASSWORD }

/** One database and the replicas on it, used by many runs, each with sessions of its own. */
export interface Arena {
  readonly kind: 'sqlite' | 'postgres'
  readonly site: Site
  readonly replicas: readonly [Replica, Replica]
  readonly hands: Hands
  /** Servers that were left without being closed. */
  readonly abandoned: Auth[]
  /** That signing keys were made which an older backup does not hold. */
  keysWereRotated: boolean
  close(): Promise<void>
}

/** What all replicas share. */
interface Site {
  database: string
  readonly events: AuthEvent[]
  /** The time of the world, in milliseconds. */
  now: number
}

/** One auth server of several on one database. */
export interface Replica {
  readonly name: string
  readonly dials: Dials
  auth: Auth
  call(...request: Parameters<ReturnType<typeof callerOf>>): Promise<Answer>
}

interface Dials {
  /** Milliseconds by which the replica's clock is ahead of the world's. */
  offset: number
  /** The secret that makes; both are read. */
  makes: 'A' | 'B'
}

export async function openArena({ name: kind, open }: (typeof databases)[number]): Promise<Arena> {
  const database = await open()
  const site: Site = { database: database.url, events: [], now: START }
  const arena: Arena = {
    kind,
    site,
    replicas: [newReplica(site, 'replica 1'), newReplica(site, 'replica 2')],
    hands: openHands(database),
    abandoned: [],
    keysWereRotated: false,
    async close() {
      await closeServers(arena)
      await arena.hands.close()
      await database.close()
    },
  }
  await arena.replicas[0].call('POST', '/auth/register', { body: PERSON })
  // Login compares with the hash as it is kept; this one is cheap, or the runs would be spent on argon2id.
  const cheap = await hash(PASSWORD, { algorithm: 2, memoryCost: 8, timeCost: 1, parallelism: 1 })
  await arena.hands.run(`update accounts set password_hash = '${cheap}' returning id`)
  return arena
}

/** Puts back what a run may have changed, a day later; the sessions of earlier runs stay behind. */
export async function tidy(arena: Arena): Promise<void> {
  await Promise.all(arena.abandoned.splice(0).map((auth) => auth.close()))
  arena.site.now += 86_400_000
  arena.site.events.length = 0
  for (const replica of arena.replicas) {
    replica.dials.offset = 0
    if (replica.dials.makes === 'A') continue
    replica.dials.makes = 'A'
    await restart(arena, replica, 'closes')
  }
  if (!arena.keysWereRotated) return
  arena.keysWereRotated = false
  const newest = '(select max(active_from) from signing_keys)'
  await arena.hands.run(`delete from signing_keys where active_from < ${newest} returning kid`)
}

/** Starts a replica again, by its dials; one that crashes lets go of nothing. */
export async function restart(arena: Arena, replica: Replica, how: 'crashes' | 'closes'): Promise<void> {
  if (how === 'closes') await replica.auth.close()
  else arena.abandoned.push(replica.auth)
  replica.auth = startServer(arena.site, replica.dials)
}

export async function closeServers(arena: Arena): Promise<void> {
  const servers = [...arena.abandoned.splice(0), ...arena.replicas.map(({ auth }) => auth)]
  await Promise.all(servers.map((auth) => auth.close()))
}

export function clockOf({ site }: Pick<Arena, 'site'>, { dials }: Replica): number {
  return site.now + dials.offset
}

/** A person logs in with an app of theirs; with its key, which the server asks to prove with a nonce. */
export async function logIn(replica: Replica, device: Device | undefined): Promise<Answer> {
  if (!device) return replica.call('POST', '/auth/login', { body: PERSON })
  const once = async (nonce: string | undefined) => {
    const about = { method: 'POST', url: `${URL_OF_AUTH}/auth/login`, now: START, nonce }
    return replica.call('POST', '/auth/login', { body: PERSON, headers: { dpop: await device.proof(about) } })
  }
  const asked = await once(undefined)
  return once(asked.headers.get('dpop-nonce') ?? undefined)
}

function newReplica(site: Site, name: string): Replica {
  const dials: Dials = { offset: 0, makes: 'A' }
  const replica: Replica = {
    name,
    dials,
    auth: startServer(site, dials),
    call: (...request) => callerOf(replica.auth)(...request),
  }
  return replica
}

function startServer(site: Site, dials: Dials): Auth {
  return createAuth({
    url: URL_OF_AUTH,
    secret: dials.makes === 'A' ? [SECRETS.A, SECRETS.B] : [SECRETS.B, SECRETS.A],
    database: site.database,
    clock: () => site.now + dials.offset,
    dangerouslyIgnoreClockSkew: true,
    reuseInterval: settings.reuseInterval / 1000,
    sessionIdleLifetime: settings.idleLifetime / 1000,
    sessionLifetime: settings.lifetime / 1000,
    accessTokenLifetime: ACCESS_LIFETIME,
    sessionsPerAccount: 10_000,
    sweepInterval: 0,
    onEvent: (event) => void site.events.push(event),
  })
}
