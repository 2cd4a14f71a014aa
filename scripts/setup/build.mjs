import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { progress } from './progress.mjs'
import { root } from './root.mjs'
import { runTool, SetupError } from './tool.mjs'

const stamp = join(root, '.setup/built')

/** Whether dist/ holds what the sources make: same sources as at the last build, and no output missing. */
export function isBuilt() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint() && missingOutputs().length === 0
}

/** Builds what is stale. Throws a SetupError with the compiler's output when the sources have errors. */
export async function build() {
  await progress('building', async () => {
    const before = fingerprint()
    removeOrphans()
    // The compiler trusts its own record and does not look whether an output is still there.
    const force = missingOutputs().length > 0 ? ['--force'] : []
    const { code, output } = await runTool(['node_modules/typescript/bin/tsc', '-b', '--verbose', ...force])
    const { progress: steps, messages } = toldApart(output)
    if (code !== 0) throw new SetupError('The build failed: see the compiler’s messages above.', messages)
    mkdirSync(dirname(stamp), { recursive: true })
    writeFileSync(stamp, before)
    const built = steps.filter((step) => step.includes(' - Building project ')).length
    const done =
      built === 0 ? 'found everything built' : `built ${built} ${built === 1 ? 'package' : 'packages'}`
    return { done, result: undefined }
  })
}

/**
 * What the compiler says of its progress, a line each with the time before it, and its messages.
 * @param {string} output
 */
function toldApart(output) {
  const lines = output.split('\n')
  const isProgress = (/** @type {string} */ line) => /^\d\d:\d\d:\d\d [AP]M - |^ {4}\* /.test(line)
  const messages = lines.filter((line) => line.trim() !== '' && !isProgress(line)).join('\n')
  return { progress: lines.filter(isProgress), messages }
}

/** The packages that the compiler builds: the references of the root tsconfig.json. */
function builtPackages() {
  /** @type {{ references: { path: string }[] }} */
  const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'))
  return references.map(({ path }) => join(root, path))
}

/** Everything that the outputs depend on, as one hash. Reads the contents: times change with every git checkout. */
function fingerprint() {
  const packages = builtPackages()
  const settings = ['package-lock.json', 'tsconfig.json', 'tsconfig.base.json'].map((file) =>
    join(root, file),
  )
  const manifests = packages.flatMap((path) => [join(path, 'package.json'), join(path, 'tsconfig.json')])
  const sources = packages.flatMap((path) => filesBelow(join(path, 'src')))

  const hash = createHash('sha256')
  for (const file of [...settings, ...manifests, ...sources]) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0')
  }
  return hash.digest('hex')
}

function missingOutputs() {
  return builtPackages().flatMap((path) =>
    filesBelow(join(path, 'src'))
      .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))
      .map((file) => join(path, 'dist', relative(join(path, 'src'), file).replace(/\.tsx?$/, '.js')))
      .filter((file) => !existsSync(file)),
  )
}

/** Outputs of sources that are no more; they would be published. */
function removeOrphans() {
  for (const path of builtPackages()) {
    for (const file of filesBelow(join(path, 'dist'))) {
      const [, name] = /^(.+?)(\.d\.ts|\.js|\.js\.map)$/.exec(relative(join(path, 'dist'), file)) ?? []
      if (!name) continue
      const hasSource = ['.ts', '.tsx'].some((ending) => existsSync(join(path, 'src', name + ending)))
      if (!hasSource) rmSync(file)
    }
  }
}

/** @param {string} folder */
function filesBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}${sep}${entry.name}`)
    .sort()
}
