import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ConnectionNeeds } from './connection/in-band.ts'
import type { LifeOptions } from './connection/life.ts'
import { type GuardedSocket, guardSocket, type Socket } from './connection/socket.ts'
import type { Guard } from './guard.ts'
import type { HeaderPair } from './http/headers.ts'
import { prepareNeeds } from './needs.ts'
import { nodeRequest } from './node/request.ts'
import type { Refusal } from './refusal.ts'

export { type GuardedSocket, type Socket, UNAUTHORIZED } from './connection/socket.ts'

/** What is used of a `WebSocketServer` of `ws`, made with `noServer: true`. */
export type SocketServer<Ws extends Socket> = {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: (ws: Ws) => void): void
  on(event: 'headers', listener: (lines: string[]) => void): unknown
  off(event: 'headers', listener: (lines: string[]) => void): unknown
}

export type UpgradeOptions = LifeOptions &
  ConnectionNeeds & {
    /**
     * Open connections without a token too, and wait for one in the first message: for clients that can send no header and have no
     * cookie. Set `maxPayload` of the server: what comes before the token is anybody's. @default false
     */
    readonly firstMessage?: boolean | undefined
    /** How long to wait for the first message, in milliseconds. @default 10000 */
    readonly firstMessageWithin?: number | undefined
  }

/**
 * Makes the listener for `upgrade` of an HTTP server:
 * `http.on('upgrade', protectUpgrades(guard, sockets, (socket, connection) => …))`.
 *
 * The token comes in the `Authorization` field, in the cookie from a page of an allowed origin, or in the first message
 * (`firstMessage`); never in the URL. Refused upgrades get the guard's refusal over HTTP. An open connection is closed with code
 * 4001 as soon as its token is expired or revoked. The message `{"type":"mapae.token","access_token":"…"}`, with `"dpop"` for a
 * bound token, lets it live on with a fresh token of the same session. It is answered with
 * `{"type":"mapae.accepted","expires_at":…}` or `{"type":"mapae.refused","code":"…","description":"…"}`.
 *
 * @throws GuardError `options_invalid`, when it is made.
 */
export function protectUpgrades<Own, Ws extends Socket>(
  guard: Guard<Own>,
  server: SocketServer<Ws>,
  onConnection: (socket: Ws, connection: GuardedSocket<Own>, request: IncomingMessage) => void,
  options: UpgradeOptions = {},
): (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void> {
  const {
    firstMessage = false,
    firstMessageWithin = 10_000,
    revocations,
    checkEvery,
    clock,
    ...needs
  } = options
  prepareNeeds(needs)
  return async (request, socket, head) => {
    socket.on('error', ignore)
    const asked = { ...needs, optional: firstMessage }
    const admission = await guard.check(nodeRequest(request, request.url), asked)
    socket.off('error', ignore)
    if (admission.type === 'refused') return refuseUpgrade(socket, admission)
    const { claims, headers: fields } = admission
    const life = { revocations, checkEvery, clock }
    openSocket(server, { request, socket, head, fields }, (ws) => {
      const opened = (connection: GuardedSocket<Own>) => onConnection(ws, connection, request)
      const url = request.url ?? '/'
      guardSocket(guard, ws, { life, needs, url, claims, firstMessageWithin, opened })
    })
  }
}

/** The client is gone, which its socket says again when something is written to it. */
function ignore(): void {}

/** An upgrade is refused by an ordinary answer (RFC 6455 §4.2.2). */
function refuseUpgrade(socket: Duplex, { status, headers, body }: Refusal): void {
  const text = JSON.stringify(body)
  const fields = [...headers, ['content-length', String(Buffer.byteLength(text))], ['connection', 'close']]
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...fields.map((pair) => pair.join(': '))]
  socket.on('error', ignore)
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`)
}

/** The fields go out with status 101: `ws` asks for them while it handles this very upgrade. */
function openSocket<Ws extends Socket>(
  server: SocketServer<Ws>,
  upgrade: {
    readonly request: IncomingMessage
    readonly socket: Duplex
    readonly head: Buffer
    readonly fields: readonly HeaderPair[]
  },
  opened: (ws: Ws) => void,
): void {
  const { request, socket, head, fields } = upgrade
  const addFields = (lines: string[]) => void lines.push(...fields.map((pair) => pair.join(': ')))
  server.on('headers', addFields)
  server.handleUpgrade(request, socket, head, opened)
  server.off('headers', addFields)
}
