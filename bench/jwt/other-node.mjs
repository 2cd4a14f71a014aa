import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { npm } from '../../scripts/setup/npm.mjs'
import { root } from '../../scripts/setup/root.mjs'
import { runTool } from '../../scripts/setup/tool.mjs'

/** Runs this benchmark on another major version of Node.js, which npm fetches once into a folder that git ignores. */
export async function runOnNode(major, flags) {
  const binary = await fetchNode(major)
  const child = spawn(binary, ['bench/run.mjs', 'jwt', ...flags], { cwd: root, stdio: 'inherit' })
  const [code, signal] = await once(child, 'exit')
  if (code !== 0) throw new Error(`The benchmark failed on Node ${major}: ${signal ?? `exit code ${code}`}.`)
}

async function fetchNode(major) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const folder = join(root, '.setup/node', major)
  const binary = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(binary)) return binary
  console.error(`fetching Node ${major} from npm (${name}@${major})`)
  const { code, output } = await runTool([
    npm(),
    'install',
    `--prefix=${folder}`,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--workspaces=false',
    `${name}@${major}`,
  ])
  if (code !== 0 || !existsSync(binary))
    throw new Error(`Node ${major} could not be had from npm.\n${output}`)
  return binary
}
