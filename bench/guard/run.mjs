// npm run bench -- guard [PART …] [--quick] [--only NAME,…]: what a guard costs, and how soon it knows. Each part writes its own
// section of RESULTS.md. Parts: frameworks, revocations.
import { parseArgs } from 'node:util'
import { installPeers } from '../install-peers.mjs'

const { values: flags, positionals } = parseArgs({
  args: process.argv.slice(3),
  options: { quick: { type: 'boolean' }, only: { type: 'string' } },
  allowPositionals: true,
})

const parts = {
  frameworks: async () => {
    installPeers('express-jwt')
    const { run } = await import('./frameworks.mjs')
    await run({ quick: flags.quick ?? false, only: flags.only?.split(',') })
  },
  revocations: () => import('./revocations.mjs'),
}
for (const [name, run] of Object.entries(parts))
  if (positionals.length === 0 || positionals.includes(name)) await run()
