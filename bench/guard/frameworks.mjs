// npm run bench -- guard frameworks [--quick] [--only express,fastify]: what protecting a route costs on each framework.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { cpus } from 'node:os'
import { createJwkSet, createSigner, exportJwk, generateKey } from '@mapae/jwt'
import { median } from '../jwt/measure.mjs'
import { writeSection } from '../section.mjs'
import { frameworks } from './apps.mjs'
import { openLoad } from './load.mjs'

const TOKENS = 256
const CONNECTIONS = 16

/** Measures and writes the section `guard: frameworks` of RESULTS.md; `quick` and `only` print and write nothing. */
export async function run({ quick = false, only } = {}) {
  const settings = quick
    ? { sets: 1, rounds: 5, requests: 200, warmUp: 1000 }
    : { sets: 3, rounds: 9, requests: 800, warmUp: 10_000 }
  const setup = await startIssuer()
  const parts = []
  for (const name of only ?? Object.keys(frameworks)) {
    parts.push({ name, rows: await measureFramework(name, { setup, settings }) })
    console.log(`\n### ${name}\n\n${table(parts.at(-1).rows)}`)
  }
  setup.close()
  if (quick || only) return
  const text = parts.map(({ name, rows }) => `### ${name}\n\n${table(rows)}`).join('\n\n')
  writeSection('guard: frameworks', `${explanation(settings)}\n\n${text}`)
}

/** Tokens, and their keys for those who insist on fetching them. */
async function startIssuer() {
  const key = generateKey('ES256')
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(createJwkSet([key])))
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const issuer = 'https://auth.example.com'
  const sign = createSigner({ key, typ: 'at+jwt' })
  const seconds = Math.floor(Date.now() / 1000)
  const tokens = Array.from({ length: TOKENS }, (_, n) =>
    sign({
      iss: issuer,
      aud: issuer,
      sub: `usr_${String(n).padStart(8, '0')}`,
      client_id: 'web',
      sid: `AAECAwQFBgcICQoLDA${String(n).padStart(4, '0')}`,
      epoch: 0,
      jti: `tok_${String(n).padStart(12, '0')}`,
      iat: seconds,
      exp: seconds + 86_400,
      scope: 'read write',
      roles: ['member'],
    }),
  )
  const jwksUri = `http://127.0.0.1:${server.address().port}/`
  return { issuer, jwk: exportJwk(key), jwksUri, tokens, close: () => server.close() }
}

/** As many times as there are sets, because two processes of one thing differ too. */
async function measureFramework(name, { setup, settings }) {
  const names = Object.keys(frameworks[name])
  const samples = names.map(() => [])
  for (let set = 0; set < settings.sets; set++) {
    const measured = await measureSet(name, { setup, settings })
    for (const [at, list] of measured.entries()) samples[at].push(...list)
  }
  const [open] = samples
  return names.map((variant, index) => ({
    variant,
    rate: median(samples[index].map((one) => one.rate)),
    p99: median(samples[index].map((one) => one.p99)),
    processor: median(samples[index].map((one) => one.processor)),
    added: median(samples[index].map((one, at) => one.processor - open[at].processor)),
  }))
}

/** Every variant in a process of its own; in each round each has its turn, so that a slow moment of the machine hits all alike. */
async function measureSet(name, { setup, settings }) {
  const variants = await Promise.all(
    Object.keys(frameworks[name]).map((variant) => startVariant(name, variant, setup)),
  )
  for (const one of variants) await one.measure(settings.warmUp)
  for (let round = 0; round < settings.rounds; round++) {
    for (const one of rotated(variants, round)) one.samples.push(await one.measure(settings.requests))
  }
  for (const one of variants) one.close()
  return variants.map((one) => one.samples)
}

async function startVariant(name, variant, setup) {
  const { issuer, jwk, jwksUri, tokens } = setup
  const env = { ...process.env, NODE_ENV: 'production', SETUP: JSON.stringify({ issuer, jwk, jwksUri }) }
  const child = fork(new URL('./app.mjs', import.meta.url), [name, variant], { env })
  const [{ port }] = await once(child, 'message')
  const load = await openLoad({ port, tokens, connections: CONNECTIONS })
  const processorTime = async () => {
    child.send('processor time?')
    const [{ user, system }] = await once(child, 'message')
    return user + system
  }
  return {
    samples: [],
    async measure(requests) {
      const before = await processorTime()
      const start = performance.now()
      const times = await load.run(requests)
      const seconds = (performance.now() - start) / 1000
      const spent = (await processorTime()) - before
      const sorted = times.toSorted((a, b) => a - b)
      return {
        rate: times.length / seconds,
        p99: sorted[Math.floor(sorted.length * 0.99)],
        processor: spent / times.length,
      }
    },
    close() {
      load.close()
      child.kill()
    },
  }
}

function rotated(list, by) {
  const at = by % list.length
  return [...list.slice(at), ...list.slice(0, at)]
}

function table(rows) {
  const open = rows[0]?.processor ?? 0
  return [
    '| | requests/s | of open | p99 ms | processor µs a request | added µs |',
    '|---|---:|---:|---:|---:|---:|',
    ...rows.map(({ variant, rate, p99, processor, added }) => {
      const share = (open / processor).toFixed(2)
      const more = variant === 'open' ? '' : added.toFixed(1)
      return `| ${variant} | ${Math.round(rate)} | ${share} | ${p99.toFixed(2)} | ${processor.toFixed(1)} | ${more} |`
    }),
  ].join('\n')
}

function explanation({ sets, rounds, requests, warmUp }) {
  return `A route that answers \`{"ok":true}\`: open, behind Mapae's guard with and without its memory of tokens, and behind what is usual on the
framework. \`npm run bench -- guard\` measures again. Node ${process.version}, ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}.

- ES256, ${TOKENS} different tokens in turn, ${CONNECTIONS} connections; medians of ${rounds} interleaved rounds of ${requests} requests, after ${warmUp} to
  warm up, ${sets} times with new processes. Every variant is a process of its own and has its key at hand; express-oauth2-jwt-bearer fetches it once.
- **Processor µs a request** is the time that a processor worked for the server (user and system, its other threads with it), which a busy
  machine changes least; **of open** is the open route's, divided by it; **added µs** is the median of each round's difference to
  the open route. requests/s and p99 are by the wall clock, with the load in the same machine, and tell more of that than of the guard.
- Nest's processes differ by some 20 µs among themselves, as its guard that does nothing shows: there the difference says little.
- **crypto.verify alone** looks at the signature and at nothing else: the least that verifying can cost.
- All others check signature, issuer, audience and times. Mapae also checks the type of the token, its required claims, the
  \`Authorization\` field for repetition, and duplicates in the JSON.`
}
