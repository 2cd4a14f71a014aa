import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { CommandError } from '../command-error.ts'
import { errorCode } from '../error-code.ts'
import { createDrain, type Drain } from './drain.ts'
import { refuseConnection } from './refuse-connection.ts'
import { refusedRequest } from './refused-request.ts'

/** Answers one request; `address` is the peer's. */
export type Handler = (
  request: Request,
  connection: {
    readonly address: string | undefined
    readonly lengthIsKept: boolean
    readonly headersAreBounded: boolean
  },
) => Promise<Response>

/** A bound port. */
export interface Listener {
  readonly port: number
  /** Requests that came before wait for this. */
  serve(handler: Handler): void
  /** See {@link Drain}. */
  drain: Drain['finish']
}

/** Milliseconds. The keep-alive is longer than what usual load balancers keep, so that they are never cut off first. */
const TIMEOUTS = {
  headersTimeout: 15_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5000,
} as const
/** Bytes of all header fields together: Node's own default, whatever flags it is run with. */
const LARGEST_HEADERS = 16_384

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
  const drain = createDrain()
  const listener = getRequestListener(
    async (request, { incoming }) => {
      const answer = handle ?? (await given)
      const connection = {
        address: incoming.socket?.remoteAddress,
        lengthIsKept: true,
        headersAreBounded: true,
      }
      const response = await answer(request, connection)
      return drain.begun ? lastOfConnection(response) : response
    },
    { errorHandler: refusedRequest },
  )
  const server = await bindAll({ host, port }, () =>
    drain.watch(createServer({ ...TIMEOUTS, maxHeaderSize: LARGEST_HEADERS }, listener)),
  )
  return { port: portOf(server), serve, drain: drain.finish }
}

/** A client that keeps its connection busy would hold up the end. */
function lastOfConnection(response: Response): Response {
  response.headers.set('connection', 'close')
  return response
}

/** The server that is bound, or the first of two. */
async function bindAll(
  { host, port }: { host: string; port: number },
  create: () => Server,
): Promise<Server> {
  if (host !== 'localhost') return bind(host, port, create())
  for (let attempt = 1; ; attempt++) {
    const server = await bindLoopback(port, create, attempt < TRIES_FOR_A_FREE_PORT)
    if (server) return server
  }
}

/** Both loopback addresses, or the one that this machine has. Undefined: a free port of one was taken on the other. */
async function bindLoopback(
  port: number,
  create: () => Server,
  mayTryAgain: boolean,
): Promise<Server | undefined> {
  const first = await bindIfPresent('127.0.0.1', port, create())
  try {
    const second = await bindIfPresent('::1', first ? portOf(first) : port, create())
    const one = first ?? second
    if (one) return one
    throw new CommandError('This machine has no loopback address: choose one to listen on with --host.')
  } catch (error) {
    first?.close()
    if (port === 0 && mayTryAgain) return undefined
    throw error
  }
}

async function bindIfPresent(host: string, port: number, server: Server): Promise<Server | undefined> {
  try {
    return await bind(host, port, server)
  } catch (error) {
    if (error instanceof CommandError && ABSENT.has(errorCode(error.cause))) return undefined
    throw error
  }
}

const ABSENT: ReadonlySet<unknown> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

function bind(host: string, port: number, server: Server): Promise<Server> {
  server.on('clientError', refuseConnection)
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new CommandError(problemOf(cause, host, port), { cause })))
    server.listen({ host, port }, () => {
      server.removeAllListeners('error')
      // A connection that cannot be accepted for want of memory fails by itself.
      server.on('error', (error) => console.error('mapae:', error))
      resolve(server)
    })
  })
}

function problemOf(cause: unknown, host: string, port: number): string {
  const code = errorCode(cause)
  if (code === 'EADDRINUSE')
    return `Port ${port} is taken: stop what listens there, or choose another with --port.`
  if (code === 'EACCES') return `Port ${port} is not for this user: choose one above 1023 with --port.`
  if (ABSENT.has(code) || code === 'ENOTFOUND')
    return `This machine has no address "${host}": choose another with --host.`
  return `Port ${port} on "${host}" cannot be listened on: ${String(code)}.`
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
