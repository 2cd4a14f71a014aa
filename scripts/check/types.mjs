import { build, isBuilt } from '../setup/build.mjs'
import { runTool, SetupError } from '../setup/tool.mjs'

/**
 * The packages by building them; tests and scripts as strictly by tsconfig.test.json, those of the client with a browser's types beside Node's; examples, which are plain JavaScript
 * as their readers write it, by tsconfig.examples.json; the app for phones, which is TypeScript, by its own.
 * @param {string} root
 * @returns {Promise<import('../check.mjs').Findings>}
 */
export async function checkTypes(root) {
  const outputs = [
    await buildProblems(),
    await compilerProblems(root, 'tsconfig.test.json'),
    await compilerProblems(root, 'packages/client/tsconfig.test.json'),
    await compilerProblems(root, 'tsconfig.examples.json'),
    await compilerProblems(root, 'examples/expo/tsconfig.json'),
  ]
  const problems = outputs.flatMap((output) => output.trim().split(/\n(?! )/)) // what belongs to an error is indented
  return {
    problems: problems.filter((problem) => problem !== ''),
    checked: 'packages, tests, scripts, examples',
  }
}

async function buildProblems() {
  try {
    if (!isBuilt()) await build()
    return ''
  } catch (error) {
    if (error instanceof SetupError) return error.output ?? error.message
    throw error
  }
}

/**
 * @param {string} root
 * @param {string} project
 */
async function compilerProblems(root, project) {
  const compiler = ['node_modules/typescript/bin/tsc', '-p', project, '--pretty', 'false']
  const { code, output } = await runTool(compiler, { cwd: root })
  return code === 0 ? '' : output
}
