import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { CommandError } from '../command-error.ts'
import { drain } from './drain.ts'
import { refuseConnection } from './refuse-connection.ts'
import { refusedRequest } from './refused-request.ts'

/** Answers one request; `address` is the peer's. */
export type Handler = (
  request: Request,
  connection: { readonly address: string | undefined; readonly lengthIsKept: boolean },
) => Promise<Response>

/** A bound port. */
export interface Listener {
  readonly port: number
  /** Requests that came before wait for this. */
  serve(handler: Handler): void
  /** See {@link drain}. */
  drain(patience: number): Promise<number>
}

/** Milliseconds. The keep-alive is longer than what usual load balancers keep, so that they are never cut off first. */
const TIMEOUTS = {
  headersTimeout: 15_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5000,
} as const

const TRIES_FOR_A_FREE_PORT = 5

/** Binds the port, or refuses in one sentence: taken, not permitted, no such address. `localhost` is 127.0.0.1 and ::1. */
export async function listen({ host, port }: { host: string; port: number }): Promise<Listener> {
  let handle: Handler | undefined
  let serve = (_: Handler) => {}
  const given = new Promise<Handler>((resolve) => {
    serve = (handler) => {
      handle = handler
      resolve(handler)
    }
  })
  const listener = getRequestListener(
    async (request, { incoming }) => {
      const answer = handle ?? (await given)
      return answer(request, { address: incoming.socket?.remoteAddress, lengthIsKept: true })
    },
    { errorHandler: refusedRequest },
  )
  const servers = await bindAll({ host, port }, listener)
  return { port: portOf(servers[0]), serve, drain: (patience) => drain(servers, patience) }
}

async function bindAll(
  { host, port }: { host: string; port: number },
  listener: RequestListener,
): Promise<[Server, ...Server[]]> {
  if (host !== 'localhost') return [await bind(host, port, listener)]
  for (let attempt = 1; ; attempt++) {
    const servers = await bindLoopback(port, listener, attempt < TRIES_FOR_A_FREE_PORT)
    if (servers) return servers
  }
}

/** Both loopback addresses, or the one that this machine has. Undefined: a free port of one was taken on the other. */
async function bindLoopback(
  port: number,
  listener: RequestListener,
  mayTryAgain: boolean,
): Promise<[Server, ...Server[]] | undefined> {
  const first = await bindIfPresent('127.0.0.1', port, listener)
  try {
    const second = await bindIfPresent('::1', first ? portOf(first) : port, listener)
    const [one, ...others] = [first, second].filter((server) => server !== undefined)
    if (one) return [one, ...others]
    throw new CommandError('This machine has no loopback address: choose one to listen on with --host.')
  } catch (error) {
    first?.close()
    if (port === 0 && mayTryAgain) return undefined
    throw error
  }
}

async function bindIfPresent(
  host: string,
  port: number,
  listener: RequestListener,
): Promise<Server | undefined> {
  try {
    return await bind(host, port, listener)
  } catch (error) {
    if (error instanceof CommandError && ABSENT.has(codeOf(error.cause))) return undefined
    throw error
  }
}

const ABSENT: ReadonlySet<unknown> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

function bind(host: string, port: number, listener: RequestListener): Promise<Server> {
  const server = createServer(TIMEOUTS, listener)
  server.on('clientError', refuseConnection)
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new CommandError(problemOf(cause, host, port), { cause })))
    server.listen({ host, port }, () => {
      server.removeAllListeners('error')
      resolve(server)
    })
  })
}

function problemOf(cause: unknown, host: string, port: number): string {
  const code = codeOf(cause)
  if (code === 'EADDRINUSE')
    return `Port ${port} is taken: stop what listens there, or choose another with --port.`
  if (code === 'EACCES') return `Port ${port} is not for this user: choose one above 1023 with --port.`
  if (ABSENT.has(code) || code === 'ENOTFOUND')
    return `This machine has no address "${host}": choose another with --host.`
  return `Port ${port} on "${host}" cannot be listened on: ${String(code)}.`
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error ? Reflect.get(thrown, 'code') : undefined
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
