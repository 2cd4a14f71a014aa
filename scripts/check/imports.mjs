import { existsSync, readdirSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { findCycles } from './cycles.mjs'
import { workspacePackages } from './packages.mjs'
import { readSourceFile } from './source-file.mjs'

/**
 * Who may import whom among the packages. A name allows all that the package exports, a longer one that entry alone.
 * @type {Record<string, readonly string[]>}
 */
const directions = {
  '@mapae/jwt': [],
  '@mapae/guard': ['@mapae/jwt'],
  '@mapae/server': ['@mapae/jwt', '@mapae/guard'],
  '@mapae/client': ['@mapae/jwt/explain'],
  '@mapae/web': ['@mapae/jwt/explain', '@mapae/client'],
  mapae: ['@mapae/jwt', '@mapae/guard', '@mapae/server', '@mapae/client', '@mapae/web'],
}

/** Entries that must run where there is no Node.js, with all that they lead to. */
const withoutNode = [{ package: '@mapae/jwt', entry: './explain' }]

/** The one package that may read the environment, in one file. */
const readsEnvironment = 'mapae'

/** What speaks to a database: for the server's store alone. */
const databaseModules = ['kysely', 'pg', '@photostructure/sqlite', 'node:sqlite']

/**
 * @typedef {import('./packages.mjs').WorkspacePackage} WorkspacePackage
 * @typedef {import('./source-file.mjs').SourceFile & { owner: WorkspacePackage, place: string }} OwnedFile `place`: its path below src/
 */

/**
 * Imports go the way that ARCHITECTURE.md draws, and no other; nothing imports in a circle; type-only imports count.
 * @param {string} root
 * @returns {Promise<import('../check.mjs').Findings>}
 */
export async function checkImports(root) {
  const packages = workspacePackages(root)
  const files = packages.flatMap(sourceFiles)
  const at = (/** @type {OwnedFile} */ file, /** @type {number} */ line) =>
    `${relative(root, file.path)}:${line}`

  const problems = [
    ...files.flatMap((file) =>
      file.imports.flatMap(({ specifier, line }) => {
        const problem = refuseImport(file, specifier, packages)
        return problem ? [`${at(file, line)} ${problem}`] : []
      }),
    ),
    ...environmentReaders(files).map(({ file, line, problem }) => `${at(file, line)} ${problem}`),
    ...nodeInPureEntries(packages, files).map(({ file, line, problem }) => `${at(file, line)} ${problem}`),
    ...findCycles(new Map(files.map((file) => [file.path, neighbours(file)]))).map(
      (cycle) => `a circle of imports: ${cycle.map((path) => relative(root, path)).join(' → ')}`,
    ),
  ]
  return { problems, checked: `${files.length} files of ${packages.length} packages` }
}

/**
 * @param {WorkspacePackage} owner
 * @returns {OwnedFile[]}
 */
function sourceFiles(owner) {
  const source = join(owner.folder, 'src')
  if (!existsSync(source)) return []
  return readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ ...readSourceFile(path), owner, place: relative(source, path).split(sep).join('/') }))
}

/**
 * @param {OwnedFile} file
 * @param {string | undefined} specifier
 * @param {WorkspacePackage[]} packages
 * @returns {string | undefined} what is wrong with it
 */
function refuseImport(file, specifier, packages) {
  if (specifier === undefined) return 'imports what is decided at run time: that cannot be checked'
  if (specifier.startsWith('.')) return refuseRelative(file, specifier)
  if (specifier.startsWith('/') || specifier.startsWith('file:'))
    return `imports the absolute path ${specifier}`
  return refuseModule(file, specifier, packages)
}

/**
 * @param {OwnedFile} file
 * @param {string} specifier
 */
function refuseRelative(file, specifier) {
  const target = join(dirname(file.path), specifier)
  const place = relative(join(file.owner.folder, 'src'), target).split(sep).join('/')
  if (place.startsWith('..')) return `leaves its package with ${specifier}: import a package by its name`
  if (!existsSync(target)) return `imports ${specifier}, which is not there`
  if (file.owner.manifest.name === '@mapae/server') return refuseUpward(file.place, place)
}

/**
 * Inside the server: routes → endpoints (verbs) → nouns → store.
 * @param {string} from
 * @param {string} to
 */
function refuseUpward(from, to) {
  const isVerb = from.startsWith('endpoints/')
  if (from.startsWith('store/') && !to.startsWith('store/')) return `the store imports ${to}: it stands below`
  if (isVerb && to.startsWith('store/')) return `an endpoint imports ${to}: ask a noun instead`
  if (!isVerb && from !== 'routes.ts' && to.startsWith('endpoints/')) {
    return `imports ${to}: only routes.ts knows the endpoints`
  }
}

/**
 * @param {OwnedFile} file
 * @param {string} specifier
 * @param {WorkspacePackage[]} packages
 */
function refuseModule({ owner: { manifest }, place }, specifier, packages) {
  if (isDatabaseModule(specifier) && !(manifest.name === '@mapae/server' && place.startsWith('store/'))) {
    return `imports ${specifier}: only the server’s store speaks to a database`
  }
  if (specifier.startsWith('node:')) return undefined
  if (builtinModules.includes(specifier)) return `imports ${specifier}: write node:${specifier}`

  const name = packageName(specifier)
  if (!dependenciesOf(manifest).has(name)) return `imports ${name}, which its package.json does not declare`
  const target = packages.find((one) => one.manifest.name === name)
  if (target || directions[name]) return refuseDirection(manifest.name, specifier, name, target)
}

/** @param {string} specifier */
function isDatabaseModule(specifier) {
  return databaseModules.some((name) => specifier === name || specifier.startsWith(`${name}/`))
}

/**
 * @param {string} from
 * @param {string} specifier
 * @param {string} name
 * @param {WorkspacePackage | undefined} target
 */
function refuseDirection(from, specifier, name, target) {
  const allowed = directions[from]
  if (!allowed) return `the import check does not know the package ${from} yet`
  if (!allowed.includes(name) && !allowed.includes(specifier)) return `${from} may not import ${specifier}`

  const entry = `.${specifier.slice(name.length)}`
  if (!target?.manifest.exports?.[entry]) return `imports ${specifier}, which ${name} does not export`
}

/** @param {string} specifier */
function packageName(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** @param {import('./packages.mjs').Manifest} manifest */
function dependenciesOf({ dependencies, optionalDependencies, peerDependencies }) {
  return new Set(Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }))
}

/** @param {OwnedFile[]} files */
function environmentReaders(files) {
  const readers = files.filter((file) => file.readsEnvironment.length > 0)
  const allowed = readers.find((file) => file.owner.manifest.name === readsEnvironment)
  return [
    ...readers
      .filter((file) => file !== allowed)
      .flatMap((file) => file.readsEnvironment.map((line) => ({ file, line }))),
    ...files
      .filter((file) => file.owner.manifest.name !== readsEnvironment)
      .flatMap((file) =>
        file.imports
          .filter(({ specifier }) => specifier === 'node:process')
          .map(({ line }) => ({ file, line })),
      ),
  ].map((where) => ({
    ...where,
    problem: 'reads the environment: the command does, in one file, and passes options on',
  }))
}

/**
 * @param {WorkspacePackage[]} packages
 * @param {OwnedFile[]} files
 */
function nodeInPureEntries(packages, files) {
  const entries = withoutNode.flatMap(({ package: name, entry }) => {
    const owner = packages.find(({ manifest }) => manifest.name === name)
    const [target] = owner?.manifest.exports?.[entry] ? exportedSources(owner, entry) : []
    return target ? [target] : []
  })
  const closure = reachable(entries, files)
  return files
    .filter((file) => closure.has(file.path))
    .flatMap((file) => [
      ...file.imports
        .filter(({ specifier = '' }) => specifier.startsWith('node:'))
        .map(({ line, specifier }) => ({
          file,
          line,
          problem: `imports ${specifier}, but must run without Node.js`,
        })),
      ...file.nodeGlobals.map((line) => ({
        file,
        line,
        problem: 'uses a global of Node.js, but must run without it',
      })),
    ])
}

/**
 * The source files that an entry of `exports` is built from.
 * @param {WorkspacePackage} owner
 * @param {string} entry
 */
function exportedSources({ folder, manifest }, entry) {
  const target = manifest.exports?.[entry]
  const built = typeof target === 'object' && target !== null ? target['default'] : target
  if (typeof built !== 'string') return []
  const source = join(folder, built.replace(/^\.\/dist\//, 'src/'))
  return [source.replace(/\.js$/, '.ts'), source.replace(/\.js$/, '.tsx')].filter((path) => existsSync(path))
}

/**
 * @param {string[]} entries
 * @param {OwnedFile[]} files
 */
function reachable(entries, files) {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const seen = new Set(entries)
  for (const path of seen) {
    const file = byPath.get(path)
    if (file) for (const next of neighbours(file)) seen.add(next)
  }
  return seen
}

/** @param {OwnedFile} file */
function neighbours(file) {
  return file.imports.flatMap(({ specifier }) =>
    specifier?.startsWith('.') ? [join(dirname(file.path), specifier)] : [],
  )
}
