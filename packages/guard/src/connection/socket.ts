import type { Claims } from '../access-claims.ts'
import type { Guard } from '../guard.ts'
import { guardConnection, type Renewed, refusedBy } from './guard.ts'
import { type ConnectionNeeds, checkInBand } from './in-band.ts'
import type { LifeOptions } from './life.ts'
import { readTokenMessage } from './token-message.ts'

/** The code that a connection is closed with when its token is missing, expired or revoked: renew, and connect again. */
export const UNAUTHORIZED = 4001

/** What is used of a WebSocket of `ws`. */
export type Socket = {
  close(code: number, reason: string): void
  send(text: string): void
  on(event: 'message', listener: MessageListener): unknown
  on(event: 'close', listener: () => void): unknown
  off(event: 'message', listener: MessageListener): unknown
}

type MessageListener = (data: unknown, isBinary: boolean) => void

/** A connection whose token is good. */
export type GuardedSocket<Own = unknown> = {
  /** Those of the newest token. */
  claims(): Claims<Own>
  /** Hears the messages, without those that carry tokens. */
  onMessage(listener: MessageListener): void
}

type SocketOptions<Own> = {
  readonly life: LifeOptions
  readonly needs: ConnectionNeeds
  readonly url: string
  /** Nothing, where the token is still to come. */
  readonly claims: Claims<Own> | undefined
  /** How long to wait for the token, in milliseconds. */
  readonly firstMessageWithin: number
  readonly opened: (connection: GuardedSocket<Own>) => void
}

/** Guards an open WebSocket: from the start with `claims`, else once a token came in its first message. */
export function guardSocket<Own>(guard: Guard<Own>, ws: Socket, options: SocketOptions<Own>): void {
  if (options.claims) serveSocket(guard, ws, { ...options, claims: options.claims })
  else awaitFirstToken(guard, ws, options)
}

function serveSocket<Own>(
  guard: Guard<Own>,
  ws: Socket,
  options: SocketOptions<Own> & { readonly claims: Claims<Own> },
): void {
  const { life, claims, needs, url } = options
  const listeners: MessageListener[] = []
  let isOver = false
  const end = (reason: string) => {
    isOver = true
    ws.close(UNAUTHORIZED, reason)
  }
  const connection = guardConnection(guard, { ...life, claims, needs, url, end })
  ws.on('close', connection.stop)
  ws.on('message', async (data, isBinary) => {
    // `ws` hears a client that leaves the close unanswered for another 30 s.
    if (isOver) return
    const token = isBinary ? undefined : readTokenMessage(data)
    if (token) tell(ws, await connection.renew(token))
    else for (const listener of listeners) listener(data, isBinary)
  })
  options.opened({ claims: connection.claims, onMessage: (listener) => void listeners.push(listener) })
}

/** Closes the socket unless its first message holds a good token, and is the only one until that is known. */
function awaitFirstToken<Own>(guard: Guard<Own>, ws: Socket, options: SocketOptions<Own>): void {
  let state: 'waiting' | 'judging' | 'over' = 'waiting'
  const close = (reason: string) => {
    if (state !== 'over') ws.close(UNAUTHORIZED, reason)
    state = 'over'
  }
  const timer = setTimeout(close, options.firstMessageWithin, 'token_required').unref()
  const listen = async (data: unknown, isBinary: boolean) => {
    const token = isBinary || state !== 'waiting' ? undefined : readTokenMessage(data)
    if (!token) return close('token_required')
    state = 'judging'
    const admission = await checkInBand(guard, token, options)
    if (state !== 'judging') return
    clearTimeout(timer)
    if (admission.type === 'refused') {
      tell(ws, refusedBy(admission))
      return close(admission.body.code)
    }
    state = 'over'
    ws.off('message', listen)
    tell(ws, { type: 'renewed', expiresAt: admission.claims.exp })
    serveSocket(guard, ws, { ...options, claims: admission.claims })
  }
  ws.on('message', listen)
  ws.on('close', () => {
    state = 'over'
    clearTimeout(timer)
  })
}

/** What is sent to a closing socket goes nowhere, and `ws` does not mind. */
function tell(ws: Socket, outcome: Renewed): void {
  ws.send(JSON.stringify(answerTo(outcome)))
}

function answerTo(outcome: Renewed): object {
  switch (outcome.type) {
    case 'renewed':
      return { type: 'mapae.accepted', expires_at: outcome.expiresAt }
    case 'refused':
      return {
        type: 'mapae.refused',
        code: outcome.code,
        description: outcome.description,
        dpop_nonce: outcome.nonce,
      }
  }
}
