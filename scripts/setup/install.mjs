import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { npm } from './npm.mjs'
import { progress } from './progress.mjs'
import { root } from './root.mjs'
import { runTool, SetupError } from './tool.mjs'

/** @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean }} LockedPackage */

/**
 * Whether what is in node_modules is what package-lock.json asks for. npm keeps the record itself and writes it last, so an
 * interrupted install does not count, and one made by hand does.
 */
export function isInstalled() {
  const wanted = lockedPackages('package-lock.json')
  const present = lockedPackages('node_modules/.package-lock.json')
  if (!wanted) throw new SetupError('There is no readable package-lock.json in this checkout.')
  if (!present) return false

  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true // the checkout's own packages
    const found = present[path]
    if (!found) return entry.optional === true // for another platform
    return found.version === entry.version && found.integrity === entry.integrity && found.link === entry.link
  })
}

/**
 * @param {string} path
 * @returns {Record<string, LockedPackage> | undefined}
 */
function lockedPackages(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8')).packages
  } catch {
    return undefined
  }
}

export async function install() {
  await progress('installing packages', async () => {
    const { code, output } = await runTool([
      npm(),
      'ci',
      '--include=dev',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ])
    if (code !== 0)
      throw new SetupError('The packages could not be installed: see npm’s message above.', output)
    const [, count = 'the'] = /added (\d+) packages/.exec(output) ?? []
    return { done: `installed ${count} packages`, result: undefined }
  })
}
