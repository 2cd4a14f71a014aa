import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createGuard } from '@mapae/guard'
import { checkPage, protectPages } from '@mapae/guard/next'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Issuer, renewalOf, start, startIssuer } from './issuer.ts'

// Next is not installed with the rest, for its size: `npm ci --prefix examples/next` brings it, and CI does so by itself.

const folder = fileURLToPath(new URL('../../../examples/next/', import.meta.url))
if (process.env['CI'] && !existsSync(`${folder}node_modules/next`))
  spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit', shell: true })
const isInstalled = existsSync(`${folder}node_modules/next`)

let issuer: Issuer
beforeAll(async () => {
  issuer = await startIssuer()
})
beforeEach(() => {
  issuer.state.now = start
})
afterAll(() => issuer.close())

/** What Next hands on to the page, by the fields that its own `NextResponse.next` writes. */
function handedOn(response: Response): Headers {
  const prefix = 'x-middleware-request-'
  const fields = [...response.headers].filter(([name]) => name.startsWith(prefix))
  return new Headers(fields.map(([name, value]) => [name.slice(prefix.length), value]))
}

describe.skipIf(!isInstalled)('with Next', () => {
  const proxy = (options: Parameters<typeof protectPages>[2] = {}) => {
    const guard = createGuard({ issuer: issuer.url, clock: issuer.clock, renew: renewalOf(issuer).renew })
    const { NextResponse } = createRequire(folder)('next/server')
    return { guard, proxy: protectPages(guard, NextResponse, options) }
  }
  const page = (headers: Record<string, string>) => new Request('https://shop.example/', { headers })

  test('a page is for those who are admitted', async () => {
    const { proxy: pages } = proxy()
    const served = await pages(page({ authorization: `Bearer ${issuer.token()}` }))
    expect(served.headers.get('x-middleware-next')).toBe('1')
    const refused = await pages(page({}))
    expect(refused.status).toBe(401)
    expect(refused.headers.get('x-middleware-next')).toBeNull()
    expect(await refused.json()).toMatchObject({ code: 'token_required' })
  })

  test('a refused page may lead elsewhere', async () => {
    const login = (request: Request) => Response.redirect(new URL('/login', request.url), 302)
    const refused = await proxy({ refused: login }).proxy(page({}))
    expect(refused.headers.get('location')).toBe('https://shop.example/login')
  })

  test('a renewed token goes out with the page and on to its server component, in place of the expired one', async () => {
    const { guard, proxy: pages } = proxy()
    const cookie = `theme=dark; ${issuer.cookie}=${issuer.token()}; ${issuer.refreshCookie}=good`
    issuer.state.now += 301_000
    const response = await pages(page({ cookie }))
    expect(response.headers.get('cache-control')).toBe('private, no-store')
    expect(response.headers.getSetCookie()).toEqual([expect.stringContaining(`${issuer.cookie}=`)])
    const renewed = response.headers.get('authorization')?.slice('Bearer '.length)
    const headers = handedOn(response)
    expect(headers.get('cookie')).toBe(
      `theme=dark; ${issuer.refreshCookie}=good; ${issuer.cookie}=${renewed}`,
    )
    expect(headers.get('authorization')).toBeNull()
    expect(await checkPage(guard, headers)).toMatchObject({ type: 'admitted', token: renewed, headers: [] })
  })

  test('so does one that came in the header', async () => {
    const { guard, proxy: pages } = proxy()
    const fields = {
      authorization: `Bearer ${issuer.token()}`,
      cookie: `${issuer.refreshCookie}=good`,
    }
    issuer.state.now += 301_000
    const headers = handedOn(await pages(page(fields)))
    expect(await checkPage(guard, headers)).toMatchObject({ type: 'admitted', claims: { jti: 'token-2' } })
  })

  test('the example serves its page and its API', async () => {
    const port = await freePort()
    const url = `http://localhost:${port}`
    issuer.state.now = Math.floor(Date.now() / 1000) * 1000
    const app = startNext(port)
    try {
      await expect.poll(() => fetch(url).catch(() => undefined), { timeout: 25_000 }).toBeDefined()
      const ask = (path: string, token?: string, method = 'GET') =>
        fetch(url + path, {
          method,
          redirect: 'manual',
          headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        })
      expect((await ask('/')).headers.get('location')).toBe('/login')
      expect(await (await ask('/login')).text()).toContain('Log in')
      const served = await ask('/', issuer.token())
      expect({ status: served.status, body: await served.text() }).toMatchObject({
        status: 200,
        body: expect.stringContaining('Hello, account-1'),
      })
      expect((await ask('/orders')).status).toBe(401)
      expect(await (await ask('/orders', issuer.token())).json()).toEqual({
        greeting: 'Hello, account-1',
        orders: [],
      })
      expect((await ask('/orders', issuer.token(), 'POST')).status).toBe(403)
      expect((await ask('/orders', issuer.token({ scope: 'orders:write' }), 'POST')).status).toBe(201)
    } finally {
      app.kill()
      await once(app, 'exit')
    }
  }, 90_000)
})

test('a page cannot be had with a cookie that a form of another site sends to an action', async () => {
  const guard = createGuard({ issuer: issuer.url, clock: issuer.clock })
  const cookie = `${issuer.cookie}=${issuer.token()}`
  const foreign = new Headers({ cookie, origin: 'https://evil.example' })
  expect(await checkPage(guard, foreign, { isAction: true })).toMatchObject({ status: 403 })
  const own = new Headers({ cookie, origin: issuer.url })
  expect(await checkPage(guard, own, { isAction: true })).toMatchObject({ type: 'admitted' })
  expect(await checkPage(guard, new Headers(), { optional: true })).toMatchObject({ type: 'anonymous' })
})

function startNext(port: number): ChildProcess {
  const next = fileURLToPath(
    new URL('../../../examples/next/node_modules/next/dist/bin/next', import.meta.url),
  )
  return spawn(process.execPath, [next, 'dev', '--port', String(port), '--hostname', 'localhost'], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'development', MAPAE_URL: issuer.url, NEXT_TELEMETRY_DISABLED: '1' },
    stdio: 'ignore',
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, 'localhost', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  if (typeof address !== 'object' || !address) throw new Error('no port')
  return address.port
}
