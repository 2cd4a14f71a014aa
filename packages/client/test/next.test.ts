import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { getRequestListener } from '@hono/node-server'
import { createAuth } from '@mapae/server'
import { expect, it } from 'vitest'
import { hasBrowser, startBrowser } from '../../../test-support/browser.ts'
import { databases } from '../../../test-support/databases.ts'
import { atTheEnd, PASSWORD, SECRET, someEmail } from '../../server/test/start-auth.ts'

// Next is not installed with the rest, for its size: `npm ci --prefix examples/next` brings it.
const folder = fileURLToPath(new URL('../../../examples/next/', import.meta.url))
const isInstalled = existsSync(`${folder}node_modules/next`)

it.skipIf(!isInstalled || !hasBrowser)(
  'a page of the Next example is rendered for whoever logs in, renews an expired token at the door, and is closed after a logout',
  { timeout: 120_000 },
  async () => {
    const appPort = await freePort()
    const app = `http://localhost:${appPort}`
    const server = await startAuth(app)
    const next = startNext(appPort, app, server)
    atTheEnd(async () => {
      next.kill()
      await once(next, 'exit')
    })
    await expect.poll(() => fetch(`${app}/login`).catch(() => undefined), { timeout: 60_000 }).toBeDefined()
    const browser = await startBrowser()
    atTheEnd(() => browser.close())
    const page = await browser.newPage()

    await page.goto(app)
    await page.waitForURL(`${app}/login`)
    await page.fill('[name=email]', someEmail())
    await page.fill('[name=password]', PASSWORD)
    await page.waitForLoadState('networkidle')
    await page.click('[value=register]')
    await page.waitForURL(`${app}/`)
    await page.waitForSelector('h1:has-text("Hello, ")')
    await page.waitForLoadState('networkidle')
    await page.click('text=My orders')
    await page.waitForSelector('output:has-text("Hello, ")')

    await new Promise((resolve) => setTimeout(resolve, LIFE * 1000))
    const seen: string[] = []
    page.on('framenavigated', (frame) => seen.push(new URL(frame.url()).pathname))
    await page.goto(app)
    await page.waitForSelector('h1:has-text("Hello, ")')
    expect([seen.at(0), seen.at(-1)]).toEqual(['/login', '/'])
    await page.waitForLoadState('networkidle')
    await page.click('text=Log out')
    await page.waitForURL(`${app}/login`)
    await page.goto(app)
    await page.waitForURL(`${app}/login`)
  },
)

/** Seconds: the life of an access token. Whoever is slower than that comes by way of the door once more. */
const LIFE = 10

/** The auth server, whose address is the app's. */
async function startAuth(url: string): Promise<string> {
  const [sqlite] = databases
  if (!sqlite) throw new Error('there is no database')
  const database = await sqlite.open()
  atTheEnd(() => database.close())
  const auth = createAuth({
    url,
    secret: SECRET,
    database: database.url,
    accessTokenLifetime: LIFE,
  })
  atTheEnd(() => auth.close())
  const http = createServer(getRequestListener((request) => auth.fetch(request)))
  await new Promise<void>((resolve) => http.listen(0, 'localhost', resolve))
  atTheEnd(async () => {
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  })
  return `http://localhost:${(http.address() as AddressInfo).port}`
}

function startNext(port: number, url: string, server: string): ChildProcess {
  const environment = { MAPAE_URL: url, NEXT_PUBLIC_MAPAE_URL: url, MAPAE_SERVER: server }
  return spawn(
    process.execPath,
    [`${folder}node_modules/next/dist/bin/next`, 'dev', '--port', String(port), '--hostname', 'localhost'],
    {
      cwd: folder,
      env: { ...process.env, ...environment, NODE_ENV: 'development', NEXT_TELEMETRY_DISABLED: '1' },
      stdio: 'ignore',
    },
  )
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
