import type { Client, CredentialInHand } from './client.ts'
import { MapaeError } from './mapae-error.ts'
import { parseMembers, textOf } from './wire.ts'

export interface AuthorizedSocketOptions {
  /** The subprotocols to ask for. @default none */
  readonly protocols?: string | readonly string[]
  /**
   * The message that tells the server the access token: the first one, and again after each renewal.
   * @default `{"type":"mapae.token","access_token":"…"}`, with `"dpop"` for a bound session: what `@mapae/guard/ws` takes
   */
  readonly message?: (credential: CredentialInHand) => string
  /** @default globalThis.WebSocket */
  readonly WebSocket?: new (
    url: string | URL,
    protocols?: string[],
  ) => WebSocket
}

/**
 * Opens a WebSocket and authenticates it in band: a browser cannot send an `Authorization` field with one, and a token in its address
 * would be written into logs (RFC 6750 §5.3). Every renewed token follows by itself; the socket is closed with code 4401 when the session
 * ends. The server's answers to tokens (`mapae.accepted`, `mapae.refused`) are not seen by the app's listeners.
 *
 * Resolves when the server has accepted the first token, or with a `message` of your own when it was sent; undefined when nobody is logged
 * in. A token that was refused is renewed once. Throws `MapaeError` with the server's code, or `server_away` when the socket does not open.
 */
export async function authorizedSocket(
  client: Client,
  url: string | URL,
  options: AuthorizedSocketOptions = {},
): Promise<WebSocket | undefined> {
  try {
    return await attempt(client, new URL(url), options)
  } catch (error) {
    if (!(error instanceof MapaeError) || error.code !== 'invalid_token') throw error
    await client.session({ fresh: true }) // renews what the auth server refuses too
    return attempt(client, new URL(url), options)
  }
}

async function attempt(
  client: Client,
  url: URL,
  { protocols = [], message = tokenMessage, ...options }: AuthorizedSocketOptions,
): Promise<WebSocket | undefined> {
  if ((await client.credential(url)) === undefined) return undefined
  const Socket = options.WebSocket ?? WebSocket
  const socket = new Socket(url, typeof protocols === 'string' ? [protocols] : [...protocols])
  const answer = firstAnswer(socket)
  await opened(socket)

  let sent: string | undefined
  const tell = async (): Promise<void> => {
    const credential = await client.credential(url)
    if (credential === undefined || credential.accessToken === sent || socket.readyState !== OPEN) return
    sent = credential.accessToken
    socket.send(message(credential))
  }
  const stop = client.onChange((change) => {
    if (change.type === 'logged_out') socket.close(4401, 'session_ended')
    else tell().catch(() => {}) // the next change, or the server, decides
  })
  // A token that nobody else asks for is renewed all the same.
  const timer = setInterval(() => tell().catch(() => {}), LOOK)
  socket.addEventListener('close', () => {
    clearInterval(timer)
    stop()
  })
  await tell()
  if (message === tokenMessage) await answer
  return socket
}

const OPEN = 1
/** Milliseconds. */
const LOOK = 10_000

function tokenMessage({ accessToken, proof }: CredentialInHand): string {
  return JSON.stringify({ type: 'mapae.token', access_token: accessToken, dpop: proof })
}

/** Until it has come, a server takes nothing else. Keeps this answer and every later one from the app. */
function firstAnswer(socket: WebSocket): Promise<void> {
  const answer = new Promise<void>((resolve, reject) => {
    socket.addEventListener('message', (event) => {
      const { type, code, description } = parseMembers(textOf(event.data))
      if (type !== 'mapae.accepted' && type !== 'mapae.refused') return
      event.stopImmediatePropagation?.() // the sockets of `ws` have no such thing
      if (type === 'mapae.accepted') resolve()
      else reject(new MapaeError(textOf(code) ?? 'invalid_token', textOf(description)))
    })
    socket.addEventListener('close', (event) => reject(closed(event)))
  })
  answer.catch(() => {}) // whoever waits for it hears
  return answer
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('close', (event) => reject(closed(event)))
    socket.addEventListener('error', () => {}) // `ws` throws it where nobody listens; a close follows
  })
}

function closed({ code }: CloseEvent): MapaeError {
  return new MapaeError('server_away', `The WebSocket was closed with code ${code}.`)
}
