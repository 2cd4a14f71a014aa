// npm run bench -- mutation [FOLDER …] [--left | --again]: changes @mapae/jwt in a thousand small ways and counts which of them its
// tests notice. Folders whose code is that of their result (bench/mutation/results/) are left out, so that a run that was cut
// short goes on where it stopped; --again does not look at what is there, and --left tries once more what survived, after tests
// were added. Writes docs/mutation.md, and fails for what survives without a reason in reasons.mjs.
import { spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { installPeers } from '../install-peers.mjs'
import { page } from './page.mjs'
import { merged, resultsOf } from './result.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const filesOf = (folder) =>
  readdirSync(here(`../../${folder}`))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`)

const SOURCE = 'packages/jwt/src'
/** What is changed: folders of the package, and as `text` the files that turn bytes into text and JSON. */
const FOLDERS = {
  ...Object.fromEntries(
    ['jws', 'jwt', 'keys', 'algorithms', 'jwks'].map((name) => [name, filesOf(`${SOURCE}/${name}`)]),
  ),
  text: ['base64url', 'json', 'text'].map((name) => `${SOURCE}/${name}.ts`),
}

const { values: flags, positionals } = parseArgs({
  args: process.argv.slice(3),
  options: { again: { type: 'boolean' }, left: { type: 'boolean' } },
  allowPositionals: true,
})

const unknown = positionals.find((name) => !Object.hasOwn(FOLDERS, name))
if (unknown) throw new Error(`There is no folder ${unknown}. There are: ${Object.keys(FOLDERS).join(', ')}`)
mkdirSync(here('results'), { recursive: true })
const chosen = positionals.length > 0 ? positionals : Object.keys(FOLDERS)
for (const folder of chosen) {
  const old = saved(folder)
  if (flags.left && old?.of === digest(folder)) tryLeft(old)
  else if (flags.again || old?.of !== digest(folder)) save(folder, mutate(folder, FOLDERS[folder]))
}
report()

function tryLeft({ folder, files }) {
  const ranges = files.flatMap(({ file, left }) => left.map(({ range }) => `${SOURCE}/${file}:${range}`))
  if (ranges.length > 0) save(folder, merged(files, mutate(folder, [...new Set(ranges)])))
}

function save(folder, files) {
  const result = { folder, of: digest(folder), files }
  writeFileSync(here(`results/${folder}.json`), `${JSON.stringify(result, null, 2)}\n`)
}

function mutate(folder, what) {
  installPeers('@stryker-mutator/core')
  writeKeys()
  const stryker = here('../node_modules/@stryker-mutator/core/bin/stryker.js')
  const args = ['run', 'bench/mutation/stryker.config.json', '--mutate', what.join(',')]
  const { status } = spawnSync(process.execPath, [stryker, ...args], {
    cwd: here('../..'),
    stdio: 'inherit',
    env: { ...process.env, MAPAE_MUTATED: folder },
  })
  rmSync(here('rsa-keys.json'))
  if (status !== 0) throw new Error(`Stryker failed for ${folder}`)
  return resultsOf(JSON.parse(readFileSync(here('report.json'), 'utf8')))
}

/** What a result is of: the code of the folder. */
function digest(folder) {
  const hash = createHash('sha256')
  for (const file of FOLDERS[folder]) hash.update(readFileSync(here(`../../${file}`)))
  return hash.digest('base64url').slice(0, 12)
}

function saved(folder) {
  const file = here(`results/${folder}.json`)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/** RSA keys for the tests: see keys-at-hand.ts. */
function writeKeys() {
  const pems = Array.from({ length: 8 }, () =>
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  )
  writeFileSync(here('rsa-keys.json'), JSON.stringify(pems))
}

function report() {
  const results = Object.keys(FOLDERS)
    .map(saved)
    .filter((one) => one !== undefined)
  const missing = Object.keys(FOLDERS).filter((name) => !saved(name))
  const { text, unexplained } = page(results, missing)
  writeFileSync(here('../../docs/mutation.md'), text)
  for (const name of unexplained) console.error(`Survives without a reason: ${name}`)
  if (unexplained.length > 0) process.exitCode = 1
}
