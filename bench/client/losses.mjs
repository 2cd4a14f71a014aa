import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuth } from '@mapae/server'
import { contenders } from './contenders.mjs'

const url = 'https://auth.example.com'
const LIFE = 300_000
const AT_ONCE = 20

/** What becomes of each contender's calls and session when a fifth of the answers gets lost. */
export async function measureLosses({ expiries }) {
  const rows = []
  for (const [name, start] of Object.entries(contenders)) {
    if (name !== 'bare fetch')
      rows.push({ name, calls: expiries * AT_ONCE, ...(await live(start, expiries)) })
  }
  return { expiries, rows }
}

async function live(start, expiries) {
  const folder = mkdtempSync(join(tmpdir(), 'mapae-bench-'))
  let now = 1_790_000_000_000
  let losing = false
  const auth = createAuth({
    url,
    secret: 'a server secret for measuring, 32 characters or more',
    database: `sqlite:${join(folder, 'mapae.db')}`,
    dangerouslyIgnoreClockSkew: true,
    sweepInterval: 0,
    clock: () => now,
    onEvent: () => {},
  })
  const random = seeded(7)
  const contender = start({
    url,
    now: () => now,
    send: async (input, init) => {
      const response = await auth.fetch(new Request(input, init))
      if (losing && random() < 0.2) throw new TypeError('Failed to fetch')
      return response
    },
  })
  await contender.login()
  losing = true
  let failed = 0
  for (let expiry = 0; expiry < expiries; expiry++) {
    now += LIFE
    const outcomes = await Promise.allSettled(
      Array.from({ length: AT_ONCE }, () => contender.get('/auth/me')),
    )
    failed += outcomes.filter(({ status }) => status === 'rejected').length
  }
  losing = false
  now += 1000
  const loggedOut = await contender.get('/auth/me').then(
    () => 'no',
    () => 'yes',
  )
  await auth.close()
  rmSync(folder, { recursive: true })
  return { failed, loggedOut }
}

/** Mulberry32: the same losses each time. */
function seeded(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
