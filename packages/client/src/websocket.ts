import type { Client } from './client.ts'

export interface AuthorizedSocketOptions {
  /** The subprotocols to ask for. @default none */
  readonly protocols?: string | readonly string[]
  /**
   * The message that tells a server of your own the access token: the first one, and again after each renewal.
   * @default `{"type":"mapae.token","access_token":"…"}`, which the guard of `@mapae/guard/ws` takes (`firstMessage`) and answers
   */
  readonly message?: (accessToken: string) => string
  /** @default globalThis.WebSocket */
  readonly WebSocket?: new (
    url: string | URL,
    protocols?: string[],
  ) => WebSocket
}

/**
 * Opens a WebSocket and authenticates it in band: a browser cannot send an `Authorization` field with one, and a token in its address
 * would be written into logs (RFC 6750 §5.3). Every renewed token follows by itself; the socket is closed with code 4401 when the session ends.
 * Resolves when the guard has accepted the first token, or, with a `message`, when that was sent; undefined when nobody is logged in.
 * Rejects when the socket is closed before. It sends no DPoP proof, so that a guard refuses the token of a bound session here.
 */
export async function authorizedSocket(
  client: Client,
  url: string | URL,
  { protocols = [], message = tokenMessage, ...options }: AuthorizedSocketOptions = {},
): Promise<WebSocket | undefined> {
  const address = new URL(url)
  const target = address.href.replace(/^ws/, 'http')
  const first = await client.accessToken(target)
  if (first === undefined) return undefined
  const Socket = options.WebSocket ?? WebSocket
  const socket = new Socket(address, typeof protocols === 'string' ? [protocols] : [...protocols])
  await opened(socket)
  socket.send(message(first))
  if (message === tokenMessage) await accepted(socket)

  let sent = first
  const renew = async (): Promise<void> => {
    const token = await client.accessToken(target)
    if (token === undefined || token === sent || socket.readyState !== OPEN) return
    sent = token
    socket.send(message(token))
  }
  const stop = client.onChange((change) => {
    if (change.type === 'logged_out') socket.close(4401, 'session_ended')
    else renew().catch(() => {}) // the next change, or the server, decides
  })
  // A token that nobody else asks for is renewed all the same.
  const timer = setInterval(() => renew().catch(() => {}), LOOK)
  socket.addEventListener('close', () => {
    clearInterval(timer)
    stop()
  })
  return socket
}

const OPEN = 1
/** Milliseconds. */
const LOOK = 10_000

function tokenMessage(access_token: string): string {
  return JSON.stringify({ type: 'mapae.token', access_token })
}

function opened(socket: WebSocket): Promise<void> {
  return orClosed(socket, (resolve) => socket.addEventListener('open', resolve))
}

/** A guard that refuses the token says so, and closes the socket. */
function accepted(socket: WebSocket): Promise<void> {
  return orClosed(socket, (resolve) =>
    socket.addEventListener('message', ({ data }) => {
      if (String(data).startsWith('{"type":"mapae.accepted"')) resolve()
    }),
  )
}

function orClosed(socket: WebSocket, listen: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    listen(resolve)
    socket.addEventListener('close', ({ code }) =>
      reject(new Error(`The WebSocket was closed with code ${code}.`)),
    )
  })
}
