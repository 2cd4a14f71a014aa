import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

/**
 * What a page loads, in bytes after minifying and gzip, and how much that may be. `loads`: code that is only loaded when it is
 * needed is not part of what a page loads first.
 * @type {readonly { name: string, code: string, most: number }[]}
 */
export const bundles = [
  {
    name: 'login, logout, fetch, renewal, tabs, cookie delivery, memory store',
    code: `export { createClient } from './index.js'`,
    most: 5000,
  },
  { name: 'DPoP, loaded when a session is bound', code: `export * from './dpop.js'`, most: 2500 },
  { name: 'IndexedDB store', code: `export * from './stores/indexeddb.js'`, most: 1000 },
  {
    name: 'localStorage store, beside the IndexedDB one that keeps its key',
    code: `export { localStorageStore } from './stores/local-storage.js'`,
    most: 1000,
  },
  { name: 'SecureStore store', code: `export * from './stores/secure-store.js'`, most: 1000 },
]

/**
 * The client is no larger than it promises.
 * @param {string} root
 * @returns {Promise<import('../check.mjs').Findings>}
 */
export async function checkBundleSize(root) {
  const sizes = await Promise.all(bundles.map(async (one) => ({ ...one, size: await bundleSize(root, one) })))
  return {
    problems: sizes
      .filter(({ size, most }) => size > most)
      .map(({ name, size, most }) => `${name}: ${size} bytes after gzip, more than ${most}`),
    checked: sizes.map(({ name, size }) => `${name.split(',', 1)[0]} ${size} B`).join(', '),
  }
}

/**
 * Bytes, after minifying and gzip, of the first chunk: what is imported at once.
 * @param {string} root
 * @param {{ name: string, code: string }} bundle
 */
export async function bundleSize(root, { name, code }) {
  const folder = join(root, 'packages/client/dist')
  const entry = join(folder, `${name.replaceAll(/\W/g, '-')}.entry.js`)
  const build = await rolldown({
    input: entry,
    platform: 'browser',
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? code : null),
      },
    ],
  })
  const { output } = await build.generate({ format: 'esm', minify: true })
  await build.close()
  const chunks = output.filter((one) => one.type === 'chunk')
  const first = chunks.find(({ isEntry }) => isEntry)
  const atOnce = chunks.filter((one) => one === first || first?.imports.includes(one.fileName))
  return atOnce.reduce((sum, one) => sum + gzipSync(one.code, { level: 9 }).length, 0)
}
