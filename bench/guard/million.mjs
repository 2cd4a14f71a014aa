// A process of its own, so that its memory is the table's: prints what a million revocations cost a guard, as JSON.
import { randomBytes } from 'node:crypto'
import { createKnowledge } from '../../packages/guard/dist/revocations/knowledge.js'
import { BEGINNING } from '../../packages/guard/dist/revocations/place.js'
import { createRevokedTable } from '../../packages/guard/dist/revocations/revoked-table.js'

const COUNT = 1_000_000
const NOW = 1_790_000_000
const words = () => new Uint32Array(randomBytes(8 * COUNT).buffer)
const [known, unknown] = [words(), words()]

globalThis.gc?.()
const before = process.memoryUsage.rss()
const table = createRevokedTable()
const timed = []
const adding = processorTime()
for (let index = 0; index < COUNT; index++) {
  const began = index % 64 === 0 ? processorTime() : 0
  table.add(
    { high: known[2 * index], low: known[2 * index + 1], epoch: 0xffffffff, expiresAt: NOW + 360 },
    NOW,
  )
  if (began > 0) timed.push(processorTime() - began)
}
const added = processorTime() - adding
globalThis.gc?.()
const rss = process.memoryUsage.rss() - before

const lookUp = (words) => {
  let found = 0
  const began = processorTime()
  for (let index = 0; index < COUNT; index++)
    if (table.epochOf({ high: words[2 * index], low: words[2 * index + 1] }, NOW) > 0) found++
  return { micros: (processorTime() - began) / COUNT, found }
}
lookUp(unknown)

process.stdout.write(
  JSON.stringify({
    rss,
    bytes: table.bytes / table.size,
    add: added / COUNT,
    slowest: timed.sort((a, b) => b - a)[Math.floor(timed.length / 1000)],
    worst: timed[0],
    hit: median(() => lookUp(known)),
    miss: median(() => lookUp(unknown)),
    ...judged(),
  }),
)

/** The whole question of a guard, for a token of which nothing is revoked: hashed once, and from then on remembered. */
function judged() {
  const knowledge = createKnowledge(() => NOW * 1000)
  const entries = Array.from({ length: COUNT }, (_, index) => ({
    high: known[2 * index],
    low: known[2 * index + 1],
    epoch: 0xffffffff,
    expiresAt: NOW + 360,
  }))
  knowledge.learn({ prev: BEGINNING, upTo: { seq: 1, tag: '' }, says: { type: 'revoked', entries } })
  const tokens = Array.from({ length: 20_000 }, (_, index) => ({
    sid: `session-${index}`,
    sub: `account-${index}`,
    epoch: 0,
  }))
  const ask = () => {
    const began = processorTime()
    for (const claims of tokens) if (knowledge.revokes(claims, 'kid')) throw new Error('that is not revoked')
    return { micros: (processorTime() - began) / tokens.length }
  }
  return { first: ask().micros, again: median(ask) }
}

/** Microseconds of this process's own: what else the machine does is not counted. */
function processorTime() {
  const { user, system } = process.cpuUsage()
  return user + system
}

function median(measure) {
  const rounds = Array.from({ length: 9 }, () => measure().micros).sort((a, b) => a - b)
  return rounds[4]
}
