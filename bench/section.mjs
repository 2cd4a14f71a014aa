import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const RESULTS = new URL('./RESULTS.md', import.meta.url)

/** Puts a benchmark's section (`## name` and its text) into RESULTS.md, and leaves those of the others as they are. */
export function writeSection(name, text) {
  const old = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : '# Measured\n'
  const others = old.split(/\n(?=## )/).filter((one) => one.split('\n', 1)[0] !== `## ${name}`)
  const sections = [...others, `## ${name}\n\n${text}`].map((one) => one.trim())
  writeFileSync(RESULTS, `${sections.join('\n\n')}\n`)
}
