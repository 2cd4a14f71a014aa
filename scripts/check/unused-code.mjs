import { runTool } from '../setup/tool.mjs'

/**
 * Files, exports and dependencies that nothing uses, by knip.json.
 * @param {string} root
 * @returns {Promise<import('../check.mjs').Findings>}
 */
export async function checkUnusedCode(root) {
  const { code, output } = await runTool(['node_modules/knip/bin/knip.js', '--no-progress'], { cwd: root })
  return { problems: code === 0 ? [] : [output.trim()], checked: 'files, exports, dependencies' }
}
