import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The start of a path that means something on one machine only. `/home/node` is the user of Node's container images. */
const localPath =
  /(?<![\w.~@-])(?:\/(?:work|workspaces?|root|home\/(?!node\b)\w+|Users\/\w+|mnt\/\w+)\/\w|[A-Z]:\\Users\\)/

/**
 * No file mentions a folder of the machine that it was written on.
 * @param {string} root
 * @returns {Promise<import('../check.mjs').Findings>}
 */
export async function checkLocalPaths(root) {
  const files = projectFiles(root)
  const problems = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    if (text.includes('\0')) return [] // not a text
    return text
      .split('\n')
      .flatMap((line, index) => (isLocal(line, root) ? [`${file}:${index + 1} ${line.trim()}`] : []))
  })
  return { problems, checked: `${files.length} files` }
}

/**
 * @param {string} line
 * @param {string} root
 */
function isLocal(line, root) {
  return (
    localPath.test(line) || line.includes(root) || (homedir().length > 1 && line.includes(`${homedir()}/`))
  )
}

/**
 * What git has or would add.
 * @param {string} root
 */
function projectFiles(root) {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate']
  const deleted = new Set(git(root, ['ls-files', '-z', '--deleted']))
  return git(root, list).filter((file) => !deleted.has(file))
}

/**
 * @param {string} root
 * @param {string[]} args
 */
function git(root, args) {
  const output = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1e8 })
  return output.split('\0').filter((file) => file !== '')
}
