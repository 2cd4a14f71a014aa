// npm run bench -- guard [PART …] [--quick] [--only NAME,…]: what guards cost. Parts: frameworks.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values: flags, positionals } = parseArgs({
  args: process.argv.slice(3),
  options: { quick: { type: 'boolean' }, only: { type: 'string' } },
  allowPositionals: true,
})

const peers = fileURLToPath(new URL('..', import.meta.url))
if (!existsSync(`${peers}node_modules/express-jwt`)) {
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: peers, stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}

const parts = { frameworks: () => import('./frameworks.mjs') }
for (const [name, load] of Object.entries(parts)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const { run } = await load()
  await run({ quick: flags.quick ?? false, only: flags.only?.split(',') })
}
