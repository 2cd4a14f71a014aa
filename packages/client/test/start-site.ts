import { readFile } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { getRequestListener } from '@hono/node-server'
import { type AuthEvent, type AuthOptions, createAuth } from '@mapae/server'
import { rolldown } from 'rolldown'
import { databases } from '../../../test-support/databases.ts'
import { atTheEnd, SECRET } from '../../server/test/start-auth.ts'

export interface Site {
  /** The auth server's origin, which also serves an empty page at `/page` and the client at `/client/`. */
  readonly url: string
  /** The same pages from other ports and hosts, without the auth server. */
  readonly sameSite: string
  readonly crossSite: string
  readonly events: readonly AuthEvent[]
  /** Moves the server's clock by so many milliseconds. */
  shiftClock(milliseconds: number): void
  /** The chance from 0 to 1 that the answer to a request gets lost on its way, by path. */
  readonly lossOf: Map<string, number>
  /** Holds up the next request of this path on its way to the server, or its answer on the way back. */
  hold(path: string, what: 'request' | 'answer'): Held
  /** How many requests came, by path. */
  readonly requests: Map<string, number>
  /** The generation of the newest refresh token that was handed out. */
  generation(): number
}

/** Something that is held up. */
export interface Held {
  /** Resolves when it is there. */
  readonly arrived: Promise<void>
  letGo(): void
}

/** Real servers on free ports of this machine, in front of one auth server. */
export async function startSite(options: Partial<AuthOptions> = {}): Promise<Site> {
  const [sqlite] = databases
  if (!sqlite) throw new Error('there is no database')
  const database = await sqlite.open()
  atTheEnd(() => database.close())
  const servers = await Promise.all([listen('localhost'), listen('localhost'), listen('127.0.0.1')])
  const [url = '', sameSite = '', crossSite = ''] = servers.map(({ origin }) => origin)

  const events: AuthEvent[] = []
  let shift = 0
  const auth = createAuth({
    url,
    secret: SECRET,
    database: database.url,
    allowedOrigins: [sameSite, crossSite],
    dangerouslyIgnoreClockSkew: true,
    clock: () => Date.now() + shift,
    onEvent: (event) => void events.push(event),
    ...options,
  })
  atTheEnd(() => auth.close())

  const lossOf = new Map<string, number>()
  const requests = new Map<string, number>()
  let generation = 0
  const gates = new Map<string, Gate>()
  const answer = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    const gate = gates.get(pathname)
    gates.delete(pathname)
    if (gate?.what === 'request') await gate.pass()
    const response = await auth.fetch(request)
    if (gate?.what === 'answer') await gate.pass()
    const handedOut = [...response.headers.getSetCookie(), await response.clone().text()].join(' ')
    for (const [, number] of handedOut.matchAll(/mrt_[\w-]+\.[\w-]+\.(\d+)\./g))
      generation = Math.max(generation, Number(number))
    return response
  }
  for (const { server, origin } of servers) {
    const listener = getRequestListener((request) =>
      origin === url
        ? pageOr(request, answer)
        : pageOr(request, async () => new Response(null, { status: 404 })),
    )
    server.on('request', (request, response) => {
      const path = new URL(request.url ?? '/', url).pathname
      requests.set(path, (requests.get(path) ?? 0) + 1)
      if (request.method !== 'OPTIONS' && Math.random() < (lossOf.get(path) ?? 0)) loseAnswer(response)
      void listener(request, response)
    })
  }
  return {
    url,
    sameSite,
    crossSite,
    events,
    lossOf,
    requests,
    generation: () => generation,
    hold: (path, what) => {
      const { gate, held } = gateFor(what)
      gates.set(path, gate)
      atTheEnd(async () => held.letGo())
      return held
    },
    shiftClock: (milliseconds) => {
      shift += milliseconds
    },
  }
}

interface Gate {
  readonly what: 'request' | 'answer'
  pass(): Promise<void>
}

function gateFor(what: Gate['what']): { readonly gate: Gate; readonly held: Held } {
  let arrive = (): void => {}
  let letGo = (): void => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const opened = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const pass = (): Promise<void> => {
    arrive()
    return opened
  }
  return { gate: { what, pass }, held: { arrived, letGo } }
}

const dist = new URL('../dist/', import.meta.url)

/** Here, since what a test gives to a browser cannot import anything. */
const page = `<!doctype html><title>page</title><script type="module">
  import { createClient } from '/client/index.js'
  import { indexedDbStore } from '/client/stores/indexeddb.js'
  globalThis.makeClient = (url, delivery) => {
    globalThis.authUrl = url
    globalThis.changes = []
    const store = delivery === 'header' ? { store: indexedDbStore() } : {}
    globalThis.client = createClient({ url, delivery, ...store })
    globalThis.client.onChange((change) => globalThis.changes.push(change))
  }
</script>`

async function pageOr(
  request: Request,
  otherwise: (request: Request) => Promise<Response>,
): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname === '/page') return new Response(page, { headers: { 'content-type': 'text/html' } })
  if (pathname.startsWith('/react/')) return reactExample(pathname)
  if (pathname === '/plain-html')
    return html(await readFile(new URL('plain-html/index.html', examples), 'utf8'))
  if (pathname.startsWith('/client/') || pathname.startsWith('/mapae/')) {
    const file = fileURLToPath(new URL(pathname.replace(/^\/\w+\//, ''), dist))
    return new Response(await readFile(file), { headers: { 'content-type': 'text/javascript' } })
  }
  return otherwise(request)
}

const examples = new URL('../../../examples/', import.meta.url)

/** The example, built as its own build would. */
async function reactExample(pathname: string): Promise<Response> {
  if (pathname === '/react/') {
    const page = await readFile(new URL('react/index.html', examples), 'utf8')
    return html(page.replace('/src/main.jsx', '/react/main.js'))
  }
  const build = await rolldown({
    input: fileURLToPath(new URL('react/src/main.jsx', examples)),
    platform: 'browser',
    transform: { jsx: 'react-jsx', define: { 'process.env.NODE_ENV': '"production"' } },
  })
  const { output } = await build.generate({ format: 'esm', codeSplitting: false })
  await build.close()
  return new Response(output[0].code, { headers: { 'content-type': 'text/javascript' } })
}

function html(page: string): Response {
  return new Response(page, { headers: { 'content-type': 'text/html' } })
}

/** The server does its work, and the connection breaks where the answer would begin. */
export function loseAnswer(response: ServerResponse): void {
  const lose = (): ServerResponse => {
    response.socket?.destroy()
    return response
  }
  response.writeHead = lose
  response.flushHeaders = () => void lose()
}

export async function listen(host: string): Promise<{ readonly server: Server; readonly origin: string }> {
  const server = createServer()
  // Both loopback addresses where the name has both, since browsers try either.
  await new Promise<void>((resolve) => server.listen(0, host === 'localhost' ? undefined : host, resolve))
  atTheEnd(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { server, origin: `http://${host}:${port}` }
}
