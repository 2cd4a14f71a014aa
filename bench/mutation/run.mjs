// npm run bench -- mutation [--mutate GLOB]: changes @mapae/jwt in a thousand small ways and counts which of them its tests notice.
// Prints the score of each file and the changes that nobody noticed; docs/mutation.md tells why those are left.
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const run = (command, args, cwd) => spawnSync(command, args, { cwd, stdio: 'inherit' }).status ?? 1

if (!existsSync(here('../node_modules/@stryker-mutator/core'))) {
  if (run('npm', ['ci', '--no-audit', '--no-fund'], here('..')) !== 0) process.exit(1)
}

const pems = Array.from({ length: 8 }, () =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
)
writeFileSync(here('rsa-keys.json'), JSON.stringify(pems))
const stryker = here('../node_modules/@stryker-mutator/core/bin/stryker.js')
process.exitCode = run(
  process.execPath,
  [stryker, 'run', 'bench/mutation/stryker.config.json', ...process.argv.slice(3)],
  here('../..'),
)
rmSync(here('rsa-keys.json'))
