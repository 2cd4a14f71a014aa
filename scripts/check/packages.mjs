import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {{ [condition: string]: ExportTarget } | string | null} ExportTarget
 *
 * @typedef {object} Manifest
 * @property {string} name
 * @property {Record<string, ExportTarget>} [exports]
 * @property {string | Record<string, string>} [bin]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [optionalDependencies]
 * @property {Record<string, string>} [peerDependencies]
 *
 * @typedef {{ folder: string, manifest: Manifest }} WorkspacePackage
 */

/**
 * The packages of the checkout that are published.
 * @param {string} root
 * @returns {WorkspacePackage[]}
 */
export function workspacePackages(root) {
  return readdirSync(join(root, 'packages'))
    .map((name) => join(root, 'packages', name))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
}

/**
 * Every file that a package's `exports` and `bin` lead to, as written there.
 * @param {Manifest} manifest
 * @returns {string[]}
 */
export function exportTargets({ exports = {}, bin = {} }) {
  const commands = typeof bin === 'string' ? [bin] : Object.values(bin)
  return [...Object.values(exports).flatMap(targetsOf), ...commands]
}

/**
 * @param {ExportTarget} target
 * @returns {string[]}
 */
function targetsOf(target) {
  if (target === null) return []
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(targetsOf)
}
