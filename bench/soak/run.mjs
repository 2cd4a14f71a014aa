// npm run bench -- soak [--minutes 30] [--devices 60] [--print]
// Lets two servers, on SQLite and on PostgreSQL, live through days in minutes: people log in, renew, look, log out and are robbed, at a
// modest rate, while sessions run out and are swept. Writes memory and sizes over time into bench/RESULTS.md; --print does not.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { writeSection } from '../section.mjs'
import { startPostgres } from '../sessions/postgres.mjs'
import { PASSWORD, SECRET, seed } from '../sessions/seed.mjs'
import { startServer } from '../sessions/server-process.mjs'
import { createDevice } from './device.mjs'
import { report } from './report.mjs'

const { values: flags } = parseArgs({
  args: process.argv.slice(3),
  options: {
    minutes: { type: 'string', default: '30' },
    devices: { type: 'string', default: '60' },
    print: { type: 'boolean' },
  },
})
const minutes = Number(flags.minutes)
const DEVICES = Number(flags.devices)
/** Milliseconds between two acts of a device: with 60 of them some 30 requests a second on each server. */
const PACE = 2_000
const SAMPLES = 90
/** Sessions live for a minute unused and leave half a minute later, so that a soak sees many generations of them go. */
const LIFE = {
  sessionIdleLifetime: 60,
  sessionLifetime: 300,
  unrememberedIdleLifetime: 30,
  keepEndedSessions: 30,
  sweepInterval: 5,
  sessionsPerAccount: 20,
}

const folder = mkdtempSync(join(tmpdir(), 'mapae-soak-'))
const postgres = await startPostgres()
try {
  const path = join(folder, 'mapae.db')
  const sides = [
    await open('SQLite', `sqlite:${path}`, () => ({ stored: sizeOf(path), log: sizeOf(`${path}-wal`) })),
    await open('PostgreSQL', postgres.url, postgresSize(postgres.url)),
  ]
  const until = Date.now() + minutes * 60_000
  const living = sides.flatMap((side) => side.devices.map((device, at) => live(device, at, until)))
  const sampling = sides.map((side) => sample(side, until))
  await Promise.all([...living, ...sampling])
  const text = report({ sides, minutes, devices: DEVICES, perSecond: DEVICES / (PACE / 1000) })
  console.log(text)
  if (!flags.print) writeSection('soak', text)
  for (const { server } of sides) await server.stop()
} finally {
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)

async function open(name, database, sizes) {
  const people = await seed({ database, sessions: 4 * DEVICES })
  const emails = [...new Set(people.map(({ email }) => email))]
  const settings = { database, secret: SECRET, options: { ...LIFE, accessTokenLifetime: 300 } }
  const server = await startServer('mapae', settings, { execArgv: ['--expose-gc'] })
  const seen = {}
  const count = (act) => {
    seen[act] = (seen[act] ?? 0) + 1
  }
  const devices = Array.from({ length: DEVICES }, (_, at) =>
    createDevice({ port: server.port, email: emails[at % emails.length], password: PASSWORD, count }),
  )
  return { name, server, sizes, devices, seen, samples: [] }
}

/** One act after another at its pace, each device beginning at another moment. */
async function live(device, at, until) {
  await sleep((PACE / DEVICES) * at)
  while (Date.now() < until) {
    const from = performance.now()
    await device.act()
    await sleep(Math.max(0, PACE - (performance.now() - from)))
  }
}

async function sample(side, until) {
  const every = (minutes * 60_000) / SAMPLES
  for (let n = 0; Date.now() < until; n++) {
    const from = performance.now()
    const { rss, heapUsed, external } = await side.server.ask({ what: 'memory', collect: true })
    side.samples.push({
      minute: (n * every) / 60_000,
      rss,
      heap: heapUsed,
      external,
      ...(await side.sizes()),
    })
    process.stderr.write(
      `\r\x1b[K${side.name}: ${((n * every) / 60_000).toFixed(1)} min, ${(rss / 2 ** 20).toFixed(0)} MB, heap ${(heapUsed / 2 ** 20).toFixed(1)} MB`,
    )
    await sleep(Math.max(0, every - (performance.now() - from)))
  }
}

function sizeOf(path) {
  try {
    return statSync(path).size
  } catch {
    return 0
  }
}

function postgresSize(url) {
  return async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query('select pg_database_size(current_database())::float8 as size')
    await client.end()
    return { stored: rows[0].size, log: 0 }
  }
}
