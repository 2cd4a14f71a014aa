import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * A document that says "this test shows it" is right only while that test is there: the words of every link to a test
 * file are words of the names in that file.
 * @param {string} root
 * @returns {Promise<import('../check.mjs').Findings>}
 */
export async function checkCitedTests(root) {
  const documents = readdirSync(join(root, 'docs'), { recursive: true })
    .map((name) => join('docs', String(name)))
    .filter((name) => name.endsWith('.md'))
  const citations = documents.flatMap((file) => citationsOf(root, file))
  const problems = citations.flatMap((citation) => problemOf(root, citation))
  return { problems, checked: `${citations.length} tests that documents name` }
}

/**
 * @param {string} root
 * @param {string} file
 * @returns {{ file: string, line: number, words: string, target: string }[]}
 */
function citationsOf(root, file) {
  return readFileSync(join(root, file), 'utf8')
    .split('\n')
    .flatMap((text, index) =>
      [...text.matchAll(/\[([^\]]+)\]\(([^)\s]+\.test\.tsx?)\)/g)].map(([, words = '', target = '']) => ({
        file,
        line: index + 1,
        words,
        target,
      })),
    )
}

/**
 * @param {string} root
 * @param {{ file: string, line: number, words: string, target: string }} citation
 */
function problemOf(root, { file, line, words, target }) {
  const path = join(root, dirname(file), target)
  if (!existsSync(path)) return [`${file}:${line} names ${target}, which is not there`]
  const source = readFileSync(path, 'utf8').replaceAll('\\', '')
  return source.includes(words) ? [] : [`${file}:${line} names a test that is not in ${target}: ${words}`]
}
