// npm run bench -- sessions [--quick] [--busy] [--only refresh,me,login,storm] [--print]
// Measures login, refresh and me over HTTP against the peers and the ceilings, and writes bench/RESULTS.md and bench/sessions.svg.
// --quick takes a few minutes and stores 100,000 sessions at most; --busy judges the goals by processor time, for a machine that
// does other work as well; --only and --print write nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installPeers } from '../install-peers.mjs'

installPeers('better-auth')
const { withContenders } = await import('./contenders.mjs')
const { measure } = await import('./measure.mjs')
const { measureStorm } = await import('./storm.mjs')
const { report } = await import('./report.mjs')
const { picture } = await import('./picture.mjs')
const { writeSection } = await import('../section.mjs')

const { values: flags } = parseArgs({
  args: process.argv.slice(3),
  options: {
    quick: { type: 'boolean' },
    busy: { type: 'boolean' },
    only: { type: 'string' },
    print: { type: 'boolean' },
  },
})
const scale = flags.quick
  ? {
      sizes: [1_000, 100_000],
      connections: [1, 32, 256],
      rounds: 3,
      milliseconds: 600,
      stormSeconds: 8,
      renewed: 4_000,
    }
  : {
      sizes: [1_000, 100_000, 1_000_000],
      connections: [1, 32, 256],
      rounds: 5,
      milliseconds: 1_000,
      stormSeconds: 20,
      renewed: 20_000,
    }
const wanted = flags.only?.split(',') ?? ['refresh', 'me', 'login', 'storm']
const folder = mkdtempSync(join(tmpdir(), 'mapae-bench-'))
const say = (text) => process.stderr.write(`${text}\n`)
const begun = performance.now()

try {
  const results = await withContenders({ folder, scale, wanted, say }, async (contenders) => {
    const operations = {}
    for (const operation of wanted.filter((name) => name !== 'storm'))
      operations[operation] = await measure(contenders[operation], { ...scale, operation, say })
    const storm = wanted.includes('storm')
      ? await measureStorm(contenders.storm, { ...scale, say })
      : undefined
    return { operations, storm }
  })
  const minutes = (performance.now() - begun) / 60_000
  const text = report({ ...results, scale, isBusy: flags.busy ?? false, minutes })
  console.log(text)
  if (!flags.only && !flags.print) {
    writeSection('sessions', text)
    writeFileSync(
      new URL('../sessions.svg', import.meta.url),
      picture(results, { isBusy: flags.busy ?? false }),
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)
