import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const EXAMPLE = fileURLToPath(new URL('../examples/fourteen-steps', import.meta.url))
const STEPS = ['1', '2', '3–4', '5', '6–7', '8', '9', '10–11', '12', '13', '14']

describe.each([[['--lang', 'en']], [['--lang', 'ko', '--cookie']]])('the example with %j', (flags) => {
  test('walks all fourteen steps on a server of its own, in lines of a hundred columns', async () => {
    const { code, stdout, stderr } = await run(flags)
    expect([code, stderr]).toEqual([0, ''])
    expect([...stdout.matchAll(/^ {0,4}([\d–]+) {3}\S/gm)].map(([, number]) => number)).toEqual(STEPS)
    expect(stdout.match(/← \d+/g)).toEqual(['← 200', '← 200', '← 401', '← 200', '← 200'])
    expect(stdout).toMatch(/www-authenticate: .*invalid_token/)
    expect(stdout.includes('set-cookie: ')).toBe(flags.includes('--cookie'))
    expect(stdout).not.toContain('\u001b')
    expect(stdout).not.toContain('correct horse battery')
    expect(stdout.split('\n').filter((line) => columnsOf(line) > 100)).toEqual([])
  })
})

test('says in one sentence that no server answers', async () => {
  const { code, stderr } = await run(['--url', 'http://localhost:1', '--lang', 'en'])
  expect([code, stderr]).toEqual([
    1,
    'No Mapae answers on http://localhost:1: run npm start, or leave --url and MAPAE_URL away.\n',
  ])
})

async function run(flags: readonly string[]) {
  const { MAPAE_URL: _, ...env } = process.env
  const child = spawn(process.execPath, [EXAMPLE, ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    printed.stderr += text
  })
  const [code] = await once(child, 'close')
  return { code, ...printed }
}

function columnsOf(line: string): number {
  return [...line].length + (line.match(/\p{Script=Hangul}/gu)?.length ?? 0)
}
