import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { atTheEnd } from '../../../server/test/start-auth.ts'
import { startStage } from '../runtimes/start-stage.ts'
import { transcriptOf } from '../runtimes/transcript.ts'
import { runInHermes } from './start-hermes.ts'

// React Native and its engine are not installed with the rest, for their size: `npm ci --prefix packages/client/test/react-native` brings
// them, and CI does so by itself.
const folder = fileURLToPath(new URL('./', import.meta.url))
const modules = `${folder}node_modules/`
const engine = `${modules}hermes-engine-cli/linux64-bin/hermes`
const compiler = `${modules}hermes-compiler/hermesc/linux64-bin/hermesc`
const runsHere = process.platform === 'linux' && process.arch === 'x64'
if (process.env['CI'] && runsHere && !existsSync(engine))
  spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' })

describe.skipIf(!runsHere || !existsSync(engine))('React Native', () => {
  let bundle = ''
  beforeAll(async () => {
    bundle = await bundled('app/main.js')
  }, 240_000)

  it('lives through expiries, lost answers and restarts in an engine older than its own, on what it gives to apps', {
    timeout: 60_000,
  }, async () => {
    const nativeSide = await readFile(`${folder}app/native-side.js`, 'utf8')
    const { url } = await startStage()
    const scripts = [nativeSide, `native.url = '${url}'`, await readFile(bundle, 'utf8')]
    expect(await runInHermes(engine, scripts)).toEqual({
      lines: transcriptOf('unbound', { hasStreams: false }),
      problems: [],
    })
  })

  it('has one React in the bundle of an app, which its own compiler takes', () => {
    expect(readFileSync(bundle, 'utf8').match(/exports\.version = "\d+\.\d+\.\d+"/g)).toHaveLength(1)
    const { status, stderr } = spawnSync(compiler, ['-emit-binary', '-w', '-out', `${bundle}.hbc`, bundle])
    expect({ status, errors: String(stderr) }).toEqual({ status: 0, errors: '' })
  })
})

/** The file that React Native's bundler makes of an app, as for a release. */
async function bundled(entry: string): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), 'mapae-metro-'))
  atTheEnd(() => rm(out, { recursive: true, force: true }))
  const how = ['--platform', 'ios', '--dev', 'false', '--minify', 'false', '--out', join(out, 'main')]
  const metro = ['metro/src/cli.js', 'build', entry, '--config', 'metro.config.cjs', ...how]
  const { status, stdout, stderr } = spawnSync(process.execPath, [modules + metro[0], ...metro.slice(1)], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stdout + stderr)
  return join(out, 'main.js')
}
