// npm run bench -- guard [PART …] [--quick] [--only NAME,…]: what a guard costs, and how soon it knows. Each part writes its own
// section of RESULTS.md. Parts: frameworks, revocations.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values: flags, positionals } = parseArgs({
  args: process.argv.slice(3),
  options: { quick: { type: 'boolean' }, only: { type: 'string' } },
  allowPositionals: true,
})

const parts = {
  frameworks: async () => {
    installPeers()
    const { run } = await import('./frameworks.mjs')
    await run({ quick: flags.quick ?? false, only: flags.only?.split(',') })
  },
  revocations: () => import('./revocations.mjs'),
}
for (const [name, run] of Object.entries(parts))
  if (positionals.length === 0 || positionals.includes(name)) await run()

function installPeers() {
  const peers = fileURLToPath(new URL('..', import.meta.url))
  if (existsSync(`${peers}node_modules/express-jwt`)) return
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: peers, stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}
