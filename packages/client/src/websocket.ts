import type { Client } from './client.ts'

export interface AuthorizedSocketOptions {
  /** The subprotocols to ask for. @default none */
  readonly protocols?: string | readonly string[]
  /**
   * The message that tells the server the access token: the first one, and again after each renewal.
   * @default `{"type":"authenticate","access_token":"…"}`
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
 * Resolves when the first token was sent; undefined when nobody is logged in.
 */
export async function authorizedSocket(
  client: Client,
  url: string | URL,
  { protocols = [], message = authenticate, ...options }: AuthorizedSocketOptions = {},
): Promise<WebSocket | undefined> {
  const address = new URL(url)
  const target = address.href.replace(/^ws/, 'http')
  const first = await client.accessToken(target)
  if (first === undefined) return undefined
  const Socket = options.WebSocket ?? WebSocket
  const socket = new Socket(address, typeof protocols === 'string' ? [protocols] : [...protocols])
  await opened(socket)
  socket.send(message(first))

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

function authenticate(access_token: string): string {
  return JSON.stringify({ type: 'authenticate', access_token })
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('close', ({ code }) =>
      reject(new Error(`The WebSocket was closed with code ${code}.`)),
    )
  })
}
