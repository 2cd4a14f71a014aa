import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { runTool } from '../setup/tool.mjs'

/** @typedef {{ file: string, line: number, language: string, flags: string[], code: string }} CodeBlock `line`: of its first line of code */

const extensions = ['ts', 'tsx', 'js', 'jsx']
const otherNames = ['typescript', 'javascript', 'mts', 'mjs', 'cts', 'cjs']

/**
 * What the pages show works: every code block compiles by itself against the packages as they are published, unless it says
 * `nocheck`, and every shell block that says `run` runs.
 * @param {string} root
 * @returns {Promise<import('../check.mjs').Findings>}
 */
export async function checkDocs(root) {
  const blocks = pages(root).flatMap((file) => codeBlocks(root, file))
  const code = blocks.filter(({ language }) => extensions.includes(language))
  const checked = code.filter(({ flags }) => !flags.includes('nocheck'))
  const commands = blocks.filter(({ language, flags }) => language === 'sh' && flags.includes('run'))

  const problems = [
    ...blocks.filter(({ language }) => otherNames.includes(language)).map(misnamed),
    ...(await typeProblems(root, checked)),
    ...commands.flatMap((block) => commandProblems(root, block)),
  ]
  const optedOut = code.length - checked.length
  return {
    problems,
    checked: `${checked.length} code blocks, ${commands.length} shell blocks (${optedOut} opted out)`,
  }
}

/**
 * @param {string} root
 * @returns {string[]} paths from the root
 */
function pages(root) {
  const documents = existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs'), { recursive: true }) : []
  const readmes = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'README.md'))
  return ['README.md', 'README.ko.md', ...documents.map((name) => join('docs', String(name))), ...readmes]
    .filter((file) => file.endsWith('.md') && existsSync(join(root, file)))
    .sort()
}

/**
 * @param {string} root
 * @param {string} file
 * @returns {CodeBlock[]}
 */
function codeBlocks(root, file) {
  /** @type {CodeBlock[]} */
  const blocks = []
  /** @type {{ fence: string, block: CodeBlock } | undefined} */
  let open
  for (const [index, text] of readFileSync(join(root, file), 'utf8').split('\n').entries()) {
    const [, fence = '', info = ''] = /^\s*(`{3,}|~{3,})\s*(.*?)\s*$/.exec(text) ?? []
    if (!open && fence) {
      const [language = '', ...flags] = info.split(/\s+/)
      open = { fence, block: { file, line: index + 2, language, flags, code: '' } }
    } else if (open && fence.startsWith(open.fence) && info === '') {
      blocks.push(open.block)
      open = undefined
    } else if (open) {
      open.block.code += `${text}\n`
    }
  }
  return blocks
}

/** @param {CodeBlock} block */
function misnamed({ file, line, language }) {
  return `${file}:${line} says ${language}: write ts or js, or it is not checked`
}

/**
 * Each block becomes a module of its own, below as many empty lines as precede it in its page: so the compiler's line
 * numbers are the page's.
 * @param {string} root
 * @param {CodeBlock[]} blocks
 */
async function typeProblems(root, blocks) {
  if (blocks.length === 0) return []
  const folder = join(root, '.setup/docs')
  rmSync(folder, { recursive: true, force: true })
  for (const { file, line, language, code } of blocks) {
    mkdirSync(join(folder, file), { recursive: true })
    writeFileSync(join(folder, file, `${line}.${language}`), '\n'.repeat(line - 1) + code)
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(compilerSettings))

  const compiler = ['node_modules/typescript/bin/tsc', '-p', folder, '--pretty', 'false']
  const { code, output } = await runTool(compiler, { cwd: root })
  if (code === 0) return []
  const moduleName = new RegExp(`^${relative(root, folder)}/(.+)/\\d+\\.\\w+\\((\\d+),(\\d+)\\)`)
  return output
    .trim()
    .split(/\n(?! )/)
    .map((text) => text.replace(moduleName, '$1:$2:$3'))
}

const compilerSettings = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023', 'dom', 'dom.iterable'],
    module: 'nodenext',
    moduleDetection: 'force',
    jsx: 'preserve',
    experimentalDecorators: true,
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    allowJs: true,
    checkJs: true,
  },
  include: ['.'],
}

/**
 * @param {string} root
 * @param {CodeBlock} block
 */
function commandProblems(root, { file, line, code }) {
  const { status, stdout, stderr } = spawnSync('sh', ['-e'], {
    cwd: root,
    input: code,
    encoding: 'utf8',
    timeout: 120_000,
  })
  return status === 0 ? [] : [`${file}:${line} fails when it is run:\n${stdout}${stderr}`.trimEnd()]
}
