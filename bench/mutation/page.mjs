import { reasons } from './reasons.mjs'

/** docs/mutation.md, and the names of what survives though nobody gave a reason. */
export function page(results, missing) {
  const left = results.flatMap(({ files }) =>
    files.flatMap(({ file, left }) => left.map((one) => ({ ...one, file }))),
  )
  const unexplained = left
    .filter((one) => !reasonOf(one))
    .map(({ file, line, from, to }) => `${file}:${line} ${from} → ${to}`)
  return {
    text: `${introduction}\n\n${table(results)}\n\n${stillMissing(missing)}${list(left)}\n`,
    unexplained,
  }
}

const reasonOf = ({ file, from, to }) =>
  reasons.find((one) => one.file === file && one.from === from && one.to === to)?.why

const introduction = `# Mutation testing

[Stryker](https://stryker-mutator.io) changes the code of \`@mapae/jwt\` in one small place at a time (a condition always true, a \`<\` that is \`<=\`, a
list empty, a block gone) and runs the tests. A change that no test notices is a promise that nobody keeps.

\`\`\`sh
npm run bench -- mutation               # what is not measured yet, folder by folder; writes this page
npm run bench -- mutation jws --again   # one folder from the beginning
npm run bench -- mutation --left        # once more what survived, after tests were added
\`\`\`

It takes about ten minutes a folder on one core. Left alone are the wording of errors (their codes are changed all the same), and what is evaluated
only once, when a module is loaded, such as the tables of algorithms. Random tests (\`properties\`, \`differential\`) do not take part, as they would take
too long, and each folder meets only the tests that are about it: more is noticed than is counted here.

## Score`

function table(results) {
  const rows = results.map(({ folder, files }) => {
    const noticed = files.reduce((sum, one) => sum + one.noticed, 0)
    const left = files.flatMap((one) => one.left.map((each) => ({ ...each, file: one.file })))
    const equal = left.filter((one) => reasonOf(one)).length
    return { folder, noticed, left: left.length, equal }
  })
  const total = rows.reduce((sum, one) => ({
    folder: '**all**',
    noticed: sum.noticed + one.noticed,
    left: sum.left + one.left,
    equal: sum.equal + one.equal,
  }))
  const lines = [...rows, total].map(({ folder, noticed, left, equal }) => {
    const open = left - equal
    return `| ${folder} | ${noticed + left} | ${noticed} | ${percent(noticed, noticed + left)} | ${equal} | ${open} |`
  })
  return `| folder | changes | noticed | score | change nothing | not noticed |\n|---|--:|--:|--:|--:|--:|\n${lines.join('\n')}`
}

const stillMissing = (names) =>
  names.length === 0 ? '' : `Not measured yet: ${names.map((name) => `\`${name}\``).join(', ')}.\n\n`

const percent = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`

function list(left) {
  const lines = left.map((one) => {
    const code = (text) => `\`${shortened(text).replaceAll('`', "'")}\``
    return `| ${one.file}:${one.line} | ${code(one.from)} | ${code(one.to)} | ${reasonOf(one) ?? '**not looked at**'} |`
  })
  return `## What survives, and why\n\n| where | code | changed to | why no test can notice |\n|---|---|---|---|\n${lines.join('\n').replaceAll('||', '\\|\\|')}`
}

const shortened = (text) => (text.length > 70 ? `${text.slice(0, 67)}…` : text)
