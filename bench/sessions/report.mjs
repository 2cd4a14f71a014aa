import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { judgeGoals, loaderWasBusy } from './goals.mjs'
import { median } from './measure.mjs'

/** The section of RESULTS.md. */
export function report({ operations, storm, scale, isBusy, minutes }) {
  const what = isBusy ? 'perCpu' : 'rate'
  const goals = judgeGoals({ operations, storm }, { what, scale })
  const parts = [
    explanation({ scale, isBusy, minutes }),
    '![Requests a second: refresh, me, login](sessions.svg)',
    `### Goals\n\nAt 32 connections, ${isBusy ? 'per second of processor time' : 'by the clock'}; each ratio is the median of each round's own ratio.\n\n${goalTable(goals)}`,
    ...Object.entries(operations).map(([operation, measured]) => `### ${operation}\n\n${table(measured)}`),
    ...(storm ? [`### me in a storm of logins\n\n${stormText(storm)}`] : []),
  ]
  return parts.join('\n\n')
}

function explanation({ scale, isBusy, minutes }) {
  const versions = ['better-auth', 'oidc-provider'].map((name) => `${name} ${versionOf(name)}`).join(', ')
  const where = `Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB${isBusy ? ', busy with other work' : ''}`
  return `HTTP requests a second, medians of ${scale.rounds} interleaved rounds of ${scale.milliseconds / 1000} s (login ${(scale.milliseconds * 2.5) / 1000} s), in ${Math.round(minutes)} minutes on ${new Date().toISOString().slice(0, 10)}:
${where}; ${versions}; PostgreSQL 17 on the same machine. \`npm run bench -- sessions\` measures again, \`--quick\` in a few minutes.

- Every server has a process of its own; the loader has another, with a client on raw sockets that keeps its connections. **CPU** is answers for each second that
  processors worked for the server's process, with its garbage collector (PostgreSQL's own processes are not in it): what a core can do once the machine has more of them than
  loader and server need. A figure with † was measured while the loader used most of a core, and may be the loader's: goals compare the CPU there.
- Databases commit to the disk: SQLite with \`synchronous=FULL\`, PostgreSQL with \`fsync\` and \`synchronous_commit\` on. The sessions that are stored are whole rows with their accounts, and those that are used are spread
  evenly over them: ${scale.renewed.toLocaleString('en')} for refresh (all ${scale.sizes[0].toLocaleString('en')} of the smallest store), 2,048 for me.
- **refresh** checks both tokens, spends a generation durably and signs an ES256 access token; each has an attempt id. Every access token but those of **unseen tokens** was signed by the measured process itself, which knows the last half a million of
  them; unseen are those of a replica or of the time before a restart: their signature is verified.
- **mapae, no database** is the same server with \`findSession\` and \`rotateSession\` of \`store/sessions.js\` answered from a Map. **oidc-provider** rotates too, signs ES256 access tokens, no ID token, and keeps all in a Map; its refresh grant takes no access token.
- **me** is \`GET /auth/me\` with tokens that were seen before. **the select alone** is Hono on the same listener with the same statement, JSON of the same user, and no token, no CORS, no security headers. **better-auth** is on SQLite with ${64} people and as many sessions,
  without its cookie cache, and \`get-session\` signs nothing.
- **argon2id alone** is @node-rs/argon2 at the same cost, without HTTP, as many at once as there are connections, cores at most. better-auth's sign-in hashes with scrypt. Who is answered 503 waits the second that \`Retry-After\` says.
- **node:http** reads the body and answers 1,000 bytes: the least that a request costs.
- **Where the time goes**, by profiles of this version on Node 20. *A renewal* without a database: some 130 µs of processor, of which 35 are the signature, 25 the kernel's reads and writes, 12 garbage collection, 6 hashing, and the rest some
  hundred small functions between listener and store, none above 2. Hence the distance to the goal against oidc-provider, which four times 3,000 a second would leave 83 µs. SQLite adds 40 to 60 for its statements, and the disk is waited for; PostgreSQL's own processes share the two cores.
  *me*: 55 µs, of which 14 the kernel's write and 11 SQLite; beyond the select alone are the look at the token, CORS and security header fields, and a turn of the event loop. *login*: beside some 12 ms of hashing, 3 to 4 ms for reserving the try, looking up, and opening the session.
  *storm*: half of the requests see nothing of it. Measured alone its p99 is 3.5 (20,000 stored) to 5.3 (600,000) times the idle one on SQLite and 7.6 on PostgreSQL, with one stall of the event loop above 90 ms in both runs on SQLite together: several hundred refused clients come back in the same second. At the end of a long run
  the disk is still busy with what was measured before, which costs SQLite most: its log begins anew after each checkpoint with a wait for the disk.`
}

function goalTable(goals) {
  const rows = goals.map(({ goal, wanted, seen, isMet }) => [
    goal,
    wanted,
    seen,
    isMet ? 'met' : '**missed**',
  ])
  return lines(['goal', 'wanted', 'seen', ''], rows, new Set([1, 2]))
}

function table(measured) {
  const counts = [...new Set(measured.map(({ connections }) => connections))]
  const names = [...new Set(measured.map(({ name, sessions }) => JSON.stringify([name, sessions])))]
  const head = ['', 'stored', ...counts.flatMap((count) => [`${count} conn.`, 'CPU', 'p50 ms', 'p99 ms'])]
  const rows = names.map((key) => {
    const [name, sessions] = JSON.parse(key)
    const cells = counts.flatMap((count) => {
      const found = measured.find(
        (one) => one.name === name && (one.sessions ?? null) === sessions && one.connections === count,
      )
      return found ? figures(found) : ['', '', '', '']
    })
    return [name, sessions === null ? '' : sessions.toLocaleString('en'), ...cells]
  })
  return `${lines(head, rows, new Set([...head.keys()].slice(1)))}${refusals(measured)}`
}

function figures(measured) {
  const of = (what) => median(measured.rounds.map((round) => round[what]))
  const mark = loaderWasBusy(measured) ? '†' : ''
  return [
    `${whole(of('rate'))}${mark}`,
    whole(of('perCpu')),
    milliseconds(of('p50')),
    milliseconds(of('p99')),
  ]
}

/** What was not answered with success. */
function refusals(measured) {
  const notes = measured.flatMap(({ name, sessions, connections, rounds }) => {
    const of = (what) => rounds.reduce((total, round) => total + round[what], 0)
    const parts = [
      of('refused') && `${of('refused')} × 503`,
      of('failed') && `${of('failed')} failed`,
    ].filter(Boolean)
    return parts.length > 0
      ? [
          `${name}${sessions ? ` (${sessions.toLocaleString('en')})` : ''}, ${connections} connections: ${parts.join(', ')}`,
        ]
      : []
  })
  return notes.length > 0 ? `\n\nNot answered with success: ${notes.join('; ')}.` : ''
}

function stormText(storm) {
  const rows = storm.map(({ name, sessions, idle, busy, logins }) => [
    name,
    sessions.toLocaleString('en'),
    milliseconds(idle.p50),
    milliseconds(idle.p99),
    milliseconds(busy.p50),
    milliseconds(busy.p99),
    String(busy.failed + idle.failed),
    logins.rate.toFixed(0),
    logins.refusedRate.toFixed(0),
  ])
  const head = ['', 'stored', 'idle p50 ms', 'p99', 'storm p50 ms', 'p99', 'failed', 'logins/s', '503/s']
  return `\`GET /auth/me\` 100 times a second, alone and beside 512 connections that log in. Latencies count from the moment at which a request was due.\n\n${lines(head, rows, new Set([...head.keys()].slice(1)))}`
}

function lines(head, rows, right) {
  const widths = head.map((title, at) => Math.max(title.length, 3, ...rows.map((row) => row[at].length)))
  const pad = (cell, at) => (right.has(at) ? cell.padStart(widths[at]) : cell.padEnd(widths[at]))
  const line = (cells) => `| ${cells.map(pad).join(' | ')} |`
  const rule = `| ${widths.map((width, at) => (right.has(at) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

const whole = (value) => (Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '—')

function milliseconds(value) {
  if (Number.isNaN(value)) return '—'
  return value < 10 ? value.toFixed(2) : value.toFixed(0)
}

function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8'))
    .version
}
