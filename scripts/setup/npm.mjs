import { join } from 'node:path'

/** The program of the npm that runs us, or else of the one that came with this Node.js. */
export function npm() {
  const { npm_execpath: running } = process.env
  if (running?.endsWith('npm-cli.js')) return running
  const besideNode = process.platform === 'win32' ? 'node_modules' : '../lib/node_modules'
  return join(process.execPath, '..', besideNode, 'npm/bin/npm-cli.js')
}
