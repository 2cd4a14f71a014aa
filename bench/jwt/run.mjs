// npm run bench -- jwt [--quick]: prints the table; without --quick also writes bench/RESULTS.md and bench/jwt.svg.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { ALGORITHMS, contenders } from './contenders.mjs'
import { measure } from './measure.mjs'
import { markdown, svg } from './report.mjs'

const isQuick = process.argv.includes('--quick')
const settings = isQuick ? { rounds: 1, milliseconds: 30 } : { rounds: 9, milliseconds: 250 }
const results = []
for (const alg of ALGORITHMS) {
  for (const [operation, functions] of Object.entries(contenders(alg))) {
    if (operation === 'decode' && alg !== 'ES256') continue
    const rates = await measure(functions, settings)
    results.push({ alg, operation, rates })
    process.stderr.write(`${alg} ${operation}\n`)
  }
}

const table = markdown(results)
console.log(table)
if (!isQuick) {
  const where = `Node ${process.version}, OpenSSL ${process.versions.openssl}, ${cpus()[0]?.model ?? 'unknown CPU'}, one thread`
  const section = `## jwt\n\nOperations a second, medians of ${settings.rounds} interleaved rounds. ${where}, ${new Date().toISOString().slice(0, 10)}.\nnode:crypto is the bare signature operation: it parses and checks nothing.\n\n${table}\n\n![Operations a second](./jwt.svg)\n`
  writeSection(new URL('../RESULTS.md', import.meta.url), section)
  writeFileSync(new URL('../jwt.svg', import.meta.url), svg(results))
}

/** Puts the section in the place of the old one, and leaves the sections of other benchmarks alone. */
function writeSection(file, section) {
  const old = existsSync(file) ? readFileSync(file, 'utf8') : '# Measured\n'
  const others = old.split(/\n(?=## )/).filter((one) => !one.startsWith('## jwt'))
  writeFileSync(file, `${[...others.map((one) => one.trimEnd()), section].join('\n\n').trimEnd()}\n`)
}
