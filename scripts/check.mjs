// `npm run check`: everything about this project that a program can check. Every check runs, also when another failed.
// `npm run check imports docs` runs those alone.
import { checkBundleSize } from './check/bundle-size.mjs'
import { checkCitedTests } from './check/cited-tests.mjs'
import { checkCoverage } from './check/coverage.mjs'
import { checkDocs } from './check/docs.mjs'
import { checkImports } from './check/imports.mjs'
import { checkLint } from './check/lint.mjs'
import { checkLocalPaths } from './check/local-paths.mjs'
import { checkPackageContents } from './check/package-contents.mjs'
import { checkTypes } from './check/types.mjs'
import { checkUnusedCode } from './check/unused-code.mjs'
import { progress } from './setup/progress.mjs'
import { root } from './setup/root.mjs'

/**
 * What a check found: each problem is one line or a block for a person, `checked` says what was looked at.
 * @typedef {{ problems: readonly string[], checked: string }} Findings
 */

/** @type {Record<string, (root: string) => Promise<Findings>>} */
const checks = {
  types: checkTypes,
  lint: checkLint,
  imports: checkImports,
  unused: checkUnusedCode,
  docs: checkDocs,
  cited: checkCitedTests,
  contents: checkPackageContents,
  paths: checkLocalPaths,
  size: checkBundleSize,
  coverage: checkCoverage,
}

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !Object.hasOwn(checks, name))
if (unknown.length > 0) {
  console.error(`There is no check ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}.`)
  process.exit(1)
}

const failed = []
const run = Object.entries(checks).filter(([name]) => chosen.length === 0 || chosen.includes(name))
for (const [name, check] of run) {
  const passed = await report(name, check)
  if (!passed) failed.push(name)
}

if (failed.length === 0) console.log(`\n${run.length} of ${run.length} checks passed.`)
else console.log(`\n${failed.length} of ${run.length} checks failed: ${failed.join(', ')}.`)
process.exitCode = failed.length === 0 ? 0 : 1

/**
 * @param {string} name
 * @param {(root: string) => Promise<Findings>} check
 * @returns {Promise<boolean>} whether it passed
 */
async function report(name, check) {
  const problems = await progress(name, async () => {
    const { problems, checked } = await check(root)
    const outcome = problems.length === 0 ? checked : `${problems.length} found in ${checked}`
    return { done: `${name}: ${outcome}`, passed: problems.length === 0, result: problems }
  })
  for (const problem of problems) console.log(problem.replace(/^/gm, '  '))
  return problems.length === 0
}
