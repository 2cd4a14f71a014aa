import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

/** What the client loads when it is needed and not before: see the dynamic imports in its sources. */
const onDemand = /\/(account|diagnose|dpop|header-delivery|indexeddb|loan|replay|shared)\.js$/

/**
 * What a page loads of the client, and the most bytes that it may be after minifying and gzip. With each file comes what it imports
 * and nothing before it has loaded.
 * @type {readonly { name: string, file: string, most: number }[]}
 */
export const bundles = [
  { name: 'login, logout, fetch, renewal, tabs, cookies', file: 'create-client.js', most: 5000 },
  { name: 'header delivery', file: 'header-delivery.js', most: 2000 },
  { name: 'DPoP', file: 'dpop.js', most: 2500 },
  { name: 'what is kept with cookies', file: 'stores/shared.js', most: 1000 },
  { name: 'IndexedDB', file: 'stores/indexeddb.js', most: 1000 },
  { name: 'localStorage', file: 'stores/local-storage.js', most: 1000 },
  { name: 'SecureStore', file: 'stores/secure-store.js', most: 1000 },
]

/**
 * The client is no larger than it promises.
 * @param {string} root
 * @returns {Promise<import('../check.mjs').Findings>}
 */
export async function checkBundleSize(root) {
  const sizes = await bundleSizes(root)
  return {
    problems: sizes
      .filter(({ size, most }) => size > most)
      .map(({ name, size, most }) => `${name}: ${size} bytes after gzip, more than ${most}`),
    checked: sizes.map(({ name, size }) => `${name} ${size} B`).join(' · '),
  }
}

/**
 * @param {string} root
 * @returns {Promise<readonly { name: string, most: number, size: number }[]>}
 */
export async function bundleSizes(root) {
  const folder = join(root, 'packages/client/dist')
  const [first, ...others] = bundles
  if (!first) return []
  const core = await bundle(join(folder, first.file), onDemand)
  const loaded = new Set(core.modules)
  const rest = others.map(async (one) => {
    const path = join(folder, one.file)
    const { size } = await bundle(path, onDemand, loaded)
    return { ...one, size }
  })
  return [{ ...first, size: core.size }, ...(await Promise.all(rest))]
}

/**
 * Bytes of one file with what it imports, and the paths of all that is in it.
 * @param {string} input
 * @param {RegExp} onDemand
 * @param {ReadonlySet<string>} loaded
 */
async function bundle(input, onDemand, loaded = new Set()) {
  const build = await rolldown({
    input,
    platform: 'browser',
    external: (id, importer) => {
      if (importer === undefined) return false
      return onDemand.test(id) || loaded.has(join(importer, '..', id))
    },
  })
  const { output } = await build.generate({ format: 'esm', minify: true })
  await build.close()
  const [chunk] = output
  return { size: gzipSync(chunk.code, { level: 9 }).length, modules: Object.keys(chunk.modules) }
}
