// npm run bench -- client [--quick] [--busy]: how large the client is, what a call by it costs beside bare fetch, ky and axios, and what becomes of
// each when a fifth of the answers gets lost. Writes the section of bench/RESULTS.md; --quick prints alone, --busy says that the machine was.
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { bundleSizes } from '../../scripts/check/bundle-size.mjs'
import { installPeers } from '../install-peers.mjs'
import { writeSection } from '../section.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
installPeers('axios-auth-refresh')
const { measureOverhead } = await import('./overhead.mjs')
const { measureLosses } = await import('./losses.mjs')

const quick = process.argv.includes('--quick')
const load = process.argv.includes('--busy') ? ', busy with other work' : ''
const sizes = await bundleSizes(root)
const overheads = await measureOverhead(quick ? { rounds: 3, calls: 500 } : { rounds: 9, calls: 1000 })
const losses = await measureLosses(quick ? { expiries: 5 } : { expiries: 30 })

const text = `\`npm run bench -- client\` measures again. Node ${process.version}, ${cpus()[0]?.model.trim()}${load}.

Bytes after minifying and gzip; what is needed first, and what is loaded when it is needed:

| part | bytes | promised |
| ---- | ----: | -------: |
${sizes.map(({ name, size, most }) => `| ${name} | ${size} | ≤ ${most} |`).join('\n')}

Microseconds that a call takes when the network takes none, medians; each sends \`GET\` with its token and reads the JSON. A proof (mapae, bound) is one
ES256 signature:

| | µs a call | more than bare fetch |
| - | --------: | -------------------: |
${overheads.map(({ name, micros, more }) => `| ${name} | ${micros.toFixed(1)} | ${more.toFixed(1)} |`).join('\n')}

Twenty calls at once after each of ${losses.expiries} expiries, while a fifth of the renewal answers and of the \`GET\` answers gets lost; all against Mapae's server, which
forgives a lost answer for 30 seconds even without an attempt id. What ky and axios do is what their documentation shows:

| | calls that failed | logged out |
| - | ----------------: | :--------- |
${losses.rows.map(({ name, failed, calls, loggedOut }) => `| ${name} | ${failed} of ${calls} | ${loggedOut} |`).join('\n')}
`
console.log(text)
if (!quick) writeSection('client', text)
