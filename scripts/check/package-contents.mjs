import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { npm } from '../setup/npm.mjs'
import { runTool } from '../setup/tool.mjs'
import { exportTargets, workspacePackages } from './packages.mjs'

const belongs = [
  /^dist\/.+\.(js|js\.map|d\.ts|css|json)$/,
  /^package\.json$/,
  /^README(\.\w+)?\.md$/,
  /^LICENSE$/,
]
const isTest = /(^|\/)(tests?|__tests__|fixtures)\/|\.test\./

/**
 * What a package publishes is what it needs and no more, and all that it promises is there.
 * @param {string} root
 * @returns {Promise<import('../check.mjs').Findings>}
 */
export async function checkPackageContents(root) {
  const packages = workspacePackages(root)
  const problems = await Promise.all(packages.map((one) => packageProblems(root, one)))
  return { problems: problems.flat(), checked: `${packages.length} packages` }
}

/**
 * @param {string} root
 * @param {import('./packages.mjs').WorkspacePackage} one
 */
async function packageProblems(root, { folder, manifest }) {
  const { code, output } = await runTool([npm(), 'pack', '--dry-run', '--json', '--loglevel=silent'], {
    cwd: folder,
  })
  if (code !== 0) return [`${manifest.name} cannot be packed:\n${output.trim()}`]

  const files = packedFiles(output, manifest.name)
  return [
    ...files
      .filter((file) => !belongs.some((allowed) => allowed.test(file)))
      .map((file) => `publishes ${file}`),
    ...files.filter((file) => isTest.test(file)).map((file) => `publishes the test ${file}`),
    ...missing(files, ['LICENSE', ...exportTargets(manifest)]).map((file) => `does not publish ${file}`),
    ...licenseProblems(root, folder),
    ...(await publishingProblems(folder)),
  ].map((problem) => `${relative(root, folder)}: ${problem}`)
}

/**
 * npm answers with a list, or with an object by name from npm 12 on.
 * @param {string} json
 * @param {string} name
 * @returns {string[]}
 */
function packedFiles(json, name) {
  const answer = JSON.parse(json)
  /** @type {{ files: { path: string }[] }} */
  const packed = Array.isArray(answer) ? answer[0] : answer[name]
  return packed.files.map(({ path }) => path)
}

/**
 * @param {string[]} files
 * @param {string[]} promised
 */
function missing(files, promised) {
  return promised.map((file) => file.replace(/^\.\//, '')).filter((file) => !files.includes(file))
}

/**
 * @param {string} root
 * @param {string} folder
 */
function licenseProblems(root, folder) {
  const copy = join(folder, 'LICENSE')
  if (!existsSync(copy)) return [] // said already
  const same = readFileSync(copy, 'utf8') === readFileSync(join(root, 'LICENSE'), 'utf8')
  return same ? [] : ['its LICENSE is not the one of the project']
}

/** @param {string} folder */
async function publishingProblems(folder) {
  const { messages, pkg } = await publint({ pkgDir: folder, pack: false, level: 'warning' })
  return messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code)
}
