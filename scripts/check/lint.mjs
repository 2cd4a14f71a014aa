import { runTool } from '../setup/tool.mjs'

/**
 * Layout and lint of every file, by biome.json.
 * @param {string} root
 * @returns {Promise<import('../check.mjs').Findings>}
 */
export async function checkLint(root) {
  const biome = ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--colors=off']
  const { code, output } = await runTool(biome, { cwd: root })
  const [checked = 'the files'] = /\d+ files?/.exec(output) ?? []
  return { problems: code === 0 ? [] : [output.trim()], checked }
}
