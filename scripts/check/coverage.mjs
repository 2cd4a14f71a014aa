import { runTool } from '../setup/tool.mjs'

/**
 * That the tests of @mapae/jwt run every line and every branch of it, by the thresholds of vitest.config.ts.
 * @param {string} root
 * @returns {Promise<import('../check.mjs').Findings>}
 */
export async function checkCoverage(root) {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', 'packages/jwt', '--coverage', '--no-color']
  const { code, output } = await runTool(vitest, { cwd: root })
  const shown = output.split('\n').filter((line) => TELLING.test(line))
  return { problems: code === 0 ? [] : [shown.join('\n')], checked: 'every line and branch of @mapae/jwt' }
}

/** Failures, thresholds that are not met, and files of the table that are not at 100 everywhere. */
const TELLING =
  /^\s*(?:FAIL|ERROR|×)|AssertionError|^ .*\|(?! +(?:100|0) \| +(?:100|0) \| +(?:100|0) \| +(?:100|0) \|)/
