import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Issuer, startIssuer } from './issuer.ts'

let issuer: Issuer
let app: ChildProcess | undefined
beforeAll(async () => {
  issuer = await startIssuer()
  issuer.state.now = Math.floor(Date.now() / 1000) * 1000
})
afterEach(async () => {
  if (app?.kill()) await once(app, 'exit')
})
afterAll(() => issuer.close())

const examples: readonly (readonly [name: string, file: string])[] = [
  ['express', 'app.js'],
  ['fastify', 'app.js'],
  ['hono', 'app.js'],
  ['koa', 'app.js'],
  ['node', 'app.js'],
  ['fetch', 'app.js'],
  ['nest', 'app.ts'],
]

describe.each(examples)('the example for %s', (name, file) => {
  const path = fileURLToPath(new URL(`../../../examples/${name}/${file}`, import.meta.url))

  test('is one file of under 30 lines', () => {
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').length).toBeLessThan(30)
  })

  test('greets the one whom the token names, and nobody else', async () => {
    const url = await run(path.endsWith('.ts') ? compile(path) : path)
    const ask = (method: string, token?: string) =>
      fetch(url, { method, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
    expect((await ask('GET')).status).toBe(401)
    const served = await ask('GET', issuer.token())
    expect(await served.json()).toEqual({ greeting: 'Hello, account-1', orders: [] })
    expect((await ask('POST', issuer.token())).status).toBe(403)
    expect((await ask('POST', issuer.token({ scope: 'orders:write' }))).status).toBe(201)
  })
})

/** As its `npm start` does. */
function compile(path: string): string {
  const compiler = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url))
  execFileSync(process.execPath, [compiler], { cwd: dirname(path), stdio: 'inherit' })
  return join(dirname(path), 'dist', basename(path).replace(/ts$/, 'js'))
}

/** Starts an example on a free port and gives the URL that it prints. */
async function run(path: string): Promise<string> {
  const env = { ...process.env, MAPAE_URL: issuer.url, PORT: '0' }
  app = spawn(process.execPath, [path], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  if (!app.stdout) throw new Error('no output')
  const [line] = await once(createInterface(app.stdout), 'line')
  return String(line).replace(/^.*?(http:)/, '$1')
}
