/**
 * What matters of Stryker's report: how many changes of each file were noticed, and the ones that were not.
 * @typedef {{ line: number, range: string, mutator: string, from: string, to: string }} Left `range` as Stryker wants it
 * to be named: columns count from 0
 * @typedef {{ file: string, noticed: number, left: Left[] }} FileResult
 */

/** @returns {FileResult[]} */
export function resultsOf(report) {
  return Object.entries(report.files).map(([path, { mutants, source }]) => {
    const isLeft = ({ status }) => status === 'Survived' || status === 'NoCoverage'
    const isNoticed = ({ status }) => ['Killed', 'Timeout', 'RuntimeError'].includes(status)
    return {
      file: path.replace('packages/jwt/src/', ''),
      noticed: mutants.filter(isNoticed).length,
      left: mutants.filter(isLeft).map((mutant) => leftOf(mutant, source)),
    }
  })
}

/**
 * The results after more tests were tried on what was left: nobody made a test weaker, so the rest stays noticed.
 * @param {FileResult[]} old
 * @param {FileResult[]} again of the lines of what was left
 */
export function merged(old, again) {
  return old.map((one) => {
    const tried = again.find(({ file }) => file === one.file)
    const still = new Set(tried?.left.map(keyOf))
    const left = tried ? one.left.filter((each) => still.has(keyOf(each))) : one.left
    return { ...one, noticed: one.noticed + one.left.length - left.length, left }
  })
}

const keyOf = ({ line, mutator, from, to }) => JSON.stringify([line, mutator, from, to])

function leftOf({ location, mutatorName, replacement }, source) {
  const { start, end } = location
  const from = textAt(source, location)
  const range = `${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`
  return { line: start.line, range, mutator: mutatorName, from, to: oneLine(replacement) }
}

function textAt(source, { start, end }) {
  const lines = source.split('\n').slice(start.line - 1, end.line)
  const last = lines.length - 1
  return oneLine(
    lines
      .map((line, n) => line.slice(n === 0 ? start.column - 1 : 0, n === last ? end.column - 1 : undefined))
      .join('\n'),
  )
}

const oneLine = (text) => text.replace(/\s+/g, ' ').trim()
