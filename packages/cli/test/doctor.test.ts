import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { siteRelation } from '../src/doctor/site-relation.ts'
import { mapaeHere, type Where } from './here.ts'
import { startServer, temporaryFolder } from './mapae.ts'

/** What it finds, a word a check. */
async function doctor(args: readonly string[], where: Where = {}): Promise<Record<string, string>> {
  const { stdout } = await mapaeHere(['doctor', '--json', ...args], where)
  const findings: readonly { check: string; verdict: string }[] = JSON.parse(stdout).findings
  return Object.fromEntries(findings.map(({ check, verdict }) => [check, verdict]))
}

const start = async (...args: string[]) => startServer(['--data', await temporaryFolder(), ...args])

/** Something else at an address; gone with the test. */
async function serve(answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://localhost:${address.port}`
}

/** A proxy that does something to the header fields of what comes back. */
const proxy = (to: string, change: (headers: IncomingMessage['headers']) => IncomingMessage['headers']) =>
  serve((incoming, outgoing) => {
    const { method, headers, url = '/' } = incoming
    const passed = request(new URL(url, to), { method, headers }, (back) => {
      outgoing.writeHead(back.statusCode ?? 502, change(back.headers))
      back.pipe(outgoing)
    })
    incoming.pipe(passed)
  })

const ALL_GOOD = {
  reachable: 'good',
  ready: 'good',
  clock: 'good',
  address: 'good',
  keys: 'good',
  cookies: 'good',
}

describe('a server that is set rightly', () => {
  test('is found so, in words, and ends with 0', async () => {
    const { url } = await start()
    const { code, stdout, stderr } = await mapaeHere(['doctor', url])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`${url}\n  ✓ An auth server answers.\n`)
    expect(stdout).toContain('Nothing is wrong.')
    expect(await doctor([url])).toEqual(ALL_GOOD)
  })

  test('is the one that the environment names', async () => {
    const { url } = await start()
    expect(await doctor([], { environment: { MAPAE_URL: url } })).toEqual(ALL_GOOD)
  })

  test('serves pages of its own, of its site and of others, each in its way', async () => {
    const { url } = await start(
      '--allowed-origin',
      'http://localhost:3000',
      '--allowed-origin',
      'http://shop.example',
    )
    expect(await doctor([url, '--origin', url])).toEqual({ ...ALL_GOOD, delivery: 'good' })
    expect(await doctor([url, '--origin', 'http://localhost:3000'])).toEqual({
      ...ALL_GOOD,
      page_allowed: 'good',
      delivery: 'good',
    })
    const { code, stdout } = await mapaeHere(['doctor', url, '--origin', 'http://shop.example'])
    expect(code).toBe(0)
    expect(stdout).toContain('transport: "header"')
  })
})

describe('what is set wrongly', () => {
  test('a page that is not allowed is told how to become so, and ends with 1', async () => {
    const { url } = await start()
    const { code, stdout } = await mapaeHere(['doctor', url, '--origin', 'http://localhost:3000'])
    expect(code).toBe(1)
    expect(stdout).toContain('--allowed-origin http://localhost:3000')
  })

  test('a page over https before a server over http, which browsers let reach this machine alone', async () => {
    const { url } = await start('--allowed-origin', 'https://app.example.com')
    expect(await doctor([url, '--origin', 'https://app.example.com'])).toMatchObject({
      page_scheme: 'warning',
      page_allowed: 'good',
      delivery: 'warning',
    })
  })

  test('a server that believes to be elsewhere', async () => {
    const { url } = await start('--url', 'https://auth.example.com')
    expect(await doctor([url])).toMatchObject({ address: 'bad', cookies: 'good' })
    const { stdout } = await mapaeHere(['doctor', url])
    expect(stdout).toContain(`MAPAE_URL=${url}`)
  })

  test('a proxy that takes attributes off cookies, or the cookies', async () => {
    const { url } = await start()
    const without = await proxy(url, (headers) => ({
      ...headers,
      'set-cookie': headers['set-cookie']?.map((cookie) => cookie.replace('; SameSite=Lax', '')) ?? [],
    }))
    const { stdout } = await mapaeHere(['doctor', without])
    expect(stdout).toContain('without SameSite=Lax')
    const none = await proxy(url, ({ 'set-cookie': _, ...headers }) => headers)
    expect(await doctor([none])).toMatchObject({ cookies: 'bad' })
  })

  test('cookies that sub-domains share', async () => {
    const { url } = await start()
    const shared = await proxy(url, (headers) => ({
      ...headers,
      'set-cookie': headers['set-cookie']?.map((cookie) => `${cookie}; Domain=example.com`) ?? [],
    }))
    expect(await doctor([shared])).toMatchObject({ cookies: 'warning' })
  })

  test('a proxy that answers preflights itself', async () => {
    const { url } = await start('--allowed-origin', 'http://localhost:3000')
    const open = await proxy(url, (headers) => ({ ...headers, 'access-control-allow-origin': '*' }))
    expect(await doctor([open, '--origin', 'http://localhost:3000'])).toMatchObject({ page_allowed: 'bad' })
  })

  test('a clock that differs', async () => {
    const { url } = await start()
    expect(await doctor([url], { clock: () => Date.now() - 60_000 })).toMatchObject({ clock: 'warning' })
  })
})

describe('where no auth server is', () => {
  test('nobody answers', async () => {
    const { url, child, ended } = await start()
    child.kill('SIGKILL')
    await ended
    const { code, stdout } = await mapaeHere(['doctor', url])
    expect(code).toBe(1)
    expect(stdout).toContain('Nobody answers: the connection is refused')
  })

  test('something else does, whatever it says', async () => {
    const page = await serve((_, outgoing) => outgoing.end('<h1>\u001b[2JHello</h1>'))
    expect(await doctor([page])).toEqual({ reachable: 'bad' })
    const endless = await serve((_, outgoing) => outgoing.end('x'.repeat(2_000_000)))
    expect(await doctor([endless])).toEqual({ reachable: 'bad' })
  })

  test('it is sent elsewhere, and does not follow', async () => {
    const elsewhere = await serve((_, outgoing) => {
      outgoing.writeHead(308, { location: 'https://auth.example.com/healthz' }).end()
    })
    const { stdout } = await mapaeHere(['doctor', elsewhere])
    expect(stdout).toContain('308')
    expect(stdout).toContain('https://auth.example.com/healthz')
  })

  test.each(['nothing', 'ftp://auth.example.com', 'auth.example.com'])(
    '%s is no address',
    async (address) => {
      const { code, stderr } = await mapaeHere(['doctor', address])
      expect([code, stderr]).toEqual([2, `${address} is no address such as https://auth.example.com.\n`])
    },
  )
})

test.each([
  ['https://auth.example.com', 'https://auth.example.com', 'same-origin'],
  ['https://auth.example.com', 'https://app.example.com', 'same-site'],
  ['https://auth.example.com', 'http://app.example.com', 'cross-site'],
  ['https://auth.example.co.kr', 'https://app.example.co.kr', 'same-site'],
  ['https://one.co.kr', 'https://other.co.kr', 'cross-site'],
  ['https://one.vercel.app', 'https://other.vercel.app', 'cross-site'],
  ['http://localhost:4000', 'http://localhost:3000', 'same-site'],
  ['http://127.0.0.1:4000', 'http://1.127.0.1:3000', 'cross-site'],
  ['http://127.0.0.1:4000', 'http://127.0.0.1:3000', 'same-site'],
  ['http://[::1]:4000', 'http://localhost:4000', 'cross-site'],
])('%s and %s are %s', (one, other, relation) => {
  expect(siteRelation(new URL(one), new URL(other))).toBe(relation)
})
