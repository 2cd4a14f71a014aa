import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { httpRequest } from './http-client.mjs'
import { startPostgres } from './postgres.mjs'
import { PASSWORD, SECRET, seed } from './seed.mjs'
import { startServer } from './server-process.mjs'
import { constant, grant, login, me, refresh, signIn, withCookies } from './workloads.mjs'

const PEOPLE = 64

/**
 * Starts everything that is measured, each server in a process of its own, hands it to `work` by operation, and ends it.
 *
 * @typedef {{ name: string, sessions?: number, server?: object, only?: number, warm?: () => object[], clients?: (connections: number) => object[], run?: Function }} Contender
 *   `only`: the one number of connections at which it is measured
 */
export async function withContenders({ folder, scale, wanted, say }, work) {
  const postgres = await startPostgres()
  const servers = []
  const start = async (...args) => {
    const server = await startServer(...args)
    servers.push(server)
    return server
  }
  try {
    const stores = []
    for (const sessions of scale.sizes)
      for (const kind of ['sqlite', 'postgres']) {
        const database =
          kind === 'sqlite'
            ? `sqlite:${join(folder, `${sessions}.db`)}`
            : await newDatabase(postgres.url, `sessions_${sessions}`)
        const from = performance.now()
        const used = await seed({ database, sessions })
        say(`${kind}: ${sessions} sessions stored in ${Math.round((performance.now() - from) / 1000)} s`)
        const server = await start('mapae', { database, secret: SECRET })
        stores.push({ kind, sessions, database, server, ...shared(used, scale.renewed) })
      }
    const memory = await memoryStore({ folder, scale, start })
    const bare = await start('bare', { bytes: 1_000 })
    const provider = wanted.includes('refresh') && (await start('oidc-provider', { sessions: scale.renewed }))
    const people = {
      people: PEOPLE,
      path: join(folder, 'better-auth.db'),
      secret: SECRET,
      password: PASSWORD,
    }
    const better = (wanted.includes('me') || wanted.includes('login')) && (await start('better-auth', people))
    return await work({
      refresh: wanted.includes('refresh') ? refreshContenders({ stores, memory, bare, provider, scale }) : [],
      me: wanted.includes('me') ? await meContenders({ stores, bare, better, start }) : [],
      login: wanted.includes('login') ? await loginContenders({ stores, better, start }) : [],
      storm: stores.filter(({ sessions }) => sessions === scale.sizes.at(-1)),
    })
  } finally {
    for (const server of servers) await server.stop()
    await postgres.stop()
  }
}

/** Sessions to renew again and again, and others that are renewed once, with an access token that the server has never seen. */
function shared(used, most) {
  if (used.length < 4 * 256 * 4) return { used, renewed: used, unseen: [] }
  return {
    used,
    renewed: used.filter((_, at) => at % 2 === 0).slice(0, most),
    unseen: used.filter((_, at) => at % 2 === 1),
  }
}

async function memoryStore({ folder, scale, start }) {
  const sessions = scale.sizes[1]
  const database = `sqlite:${join(folder, 'memory.db')}`
  const used = await seed({ database, sessions })
  const server = await start('mapae', { database, secret: SECRET, memory: true })
  return { kind: 'no database', sessions, server, ...shared(used, scale.renewed) }
}

async function newDatabase(url, name) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const address = new URL(url)
  address.pathname = `/${name}`
  return address.href
}

function refreshContenders({ stores, memory, bare, provider, scale }) {
  const granted = provider.refreshTokens.map((refreshToken) => ({ refreshToken }))
  const largest = Math.max(...stores.map(({ sessions }) => sessions))
  const warm = ({ kind, sessions, server, renewed }) => ({
    name: `mapae, ${kind}`,
    sessions,
    server,
    warm: () => refresh(renewed, 32, { times: Math.ceil(scale.renewed / renewed.length) }),
    clients: (connections) => refresh(renewed, connections),
  })
  const cold = ({ kind, sessions, server, unseen }) => {
    const clients = refresh(unseen, 32, { times: 1 })
    return { name: `mapae, ${kind}, unseen tokens`, sessions, server, only: 32, clients: () => clients }
  }
  return [
    ...stores.map(warm),
    ...stores.filter(({ sessions }) => sessions === largest).map(cold),
    warm(memory),
    cold(memory),
    {
      name: 'oidc-provider, in memory',
      server: provider,
      clients: (connections) => grant(granted, connections),
    },
    { name: 'node:http', server: bare, clients: (connections) => constant(posted, connections) },
  ]
}

async function meContenders({ stores, bare, better, start }) {
  const select = async ({ kind, sessions, database, used }) => ({
    name: `the select alone, ${kind}`,
    sessions,
    server: await start('select', { database }),
    warm: () => me(used, 32, { times: 2, field: named }),
    clients: (connections) => me(used, connections, { field: named }),
  })
  const middle = stores.filter(({ sessions }) => sessions === stores[2].sessions)
  return [
    ...stores.map(({ kind, sessions, server, used }) => ({
      name: `mapae, ${kind}`,
      sessions,
      server,
      warm: () => me(used, 32, { times: 2 }),
      clients: (connections) => me(used, connections),
    })),
    ...(await Promise.all(middle.map(select))),
    ...['get-session', 'token'].map((path) => ({
      name: `better-auth, ${path}`,
      sessions: PEOPLE,
      server: better,
      clients: (connections) => withCookies(`/api/auth/${path}`, better.people, connections),
    })),
    { name: 'node:http', server: bare, clients: (connections) => constant(got, connections) },
  ]
}

const named = ({ sid }) => ({ 'x-session': sid })

async function loginContenders({ stores, better, start }) {
  const argon2 = await start('argon2', { password: PASSWORD })
  const sizes = [stores[0].sessions, stores.at(-1).sessions]
  return [
    ...stores
      .filter(({ sessions }) => sizes.includes(sessions))
      .map(({ kind, sessions, server, used }) => ({
        name: `mapae, ${kind}`,
        sessions,
        server,
        clients: (connections) => login(used, connections),
      })),
    {
      name: 'argon2id alone',
      server: argon2,
      run: ({ connections, milliseconds }) =>
        verifyAlone(argon2, Math.min(connections, availableParallelism()), milliseconds),
    },
    {
      name: 'better-auth, sign-in',
      sessions: PEOPLE,
      server: better,
      clients: (connections) => signIn(better.people, connections),
    },
  ]
}

async function verifyAlone(server, atOnce, milliseconds) {
  const { seconds, latencies } = await server.ask({ what: 'verifications', atOnce, milliseconds })
  const sorted = Float64Array.from(latencies).sort()
  return { answered: sorted.length, refused: 0, failed: 0, seconds, latencies: sorted }
}

const token = `Bearer ${'x'.repeat(480)}`
const got = httpRequest({ path: '/auth/me', headers: { authorization: token } })
const posted = httpRequest({
  method: 'POST',
  path: '/auth/refresh',
  headers: { authorization: token, 'idempotency-key': 'x'.repeat(28) },
  body: { refresh_token: 'x'.repeat(84) },
})
