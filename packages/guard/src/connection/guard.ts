import type { AccessClaims, Claims } from '../access-claims.ts'
import type { Guard } from '../guard.ts'
import { prepareNeeds } from '../needs.ts'
import type { Refusal } from '../refusal.ts'
import { type ConnectionNeeds, checkInBand, type InBandToken } from './in-band.ts'
import { type EndReason, type LifeOptions, watchLife } from './life.ts'

export type Renewed =
  | { readonly type: 'renewed'; readonly expiresAt: number }
  /** The connection goes on with the token that it has. */
  | {
      readonly type: 'refused'
      readonly code: string
      readonly description: string
      /** With `use_dpop_nonce`: the one that the next proof needs (RFC 9449 §9). */
      readonly nonce?: string | undefined
    }

export type GuardedConnection<Own = unknown> = {
  /** Those of the newest token. */
  claims(): Claims<Own>
  /** Takes a fresh access token of the same session, under the same needs, and lives on until that expires. Never rejects. */
  renew(token: InBandToken): Promise<Renewed>
  /** Ends the watch, when the connection is closed by somebody else. */
  stop(): void
}

export type ConnectionOptions<Own> = LifeOptions & {
  /** Those of the request that the connection began with. */
  readonly claims: Claims<Own>
  /** Closes the connection. Called once at most. */
  readonly end: (reason: EndReason) => void
  /** What the connection needs of a renewed token. @default nothing */
  readonly needs?: ConnectionNeeds | undefined
  /** The path, or the URL, that the connection was opened at, for proofs. @default '/' */
  readonly url?: string | undefined
}

/**
 * Watches over a connection that outlives its request: ends it as soon as its token is expired or revoked, unless a newer one
 * came in the meantime.
 *
 * @throws GuardError `options_invalid` for needs that make no sense.
 */
export function guardConnection<Own>(
  guard: Guard<Own>,
  options: ConnectionOptions<Own>,
): GuardedConnection<Own> {
  const { end, url = '/', needs = {}, revocations = guard } = options
  prepareNeeds(needs)
  let { claims } = options
  const stop = watchLife(() => claims, end, { ...options, revocations })
  return Object.freeze({
    claims: () => claims,
    async renew(token: InBandToken): Promise<Renewed> {
      const admission = await checkInBand(guard, token, { url, needs })
      if (admission.type === 'refused') return refusedBy(admission)
      if (!isSameSession(claims, admission.claims)) return otherSession
      claims = admission.claims
      return { type: 'renewed', expiresAt: claims.exp }
    },
    stop,
  })
}

/** Tokens of an issuer without sessions are held to the account and the client. */
function isSameSession(one: AccessClaims, other: AccessClaims): boolean {
  return one.sub === other.sub && one.sid === other.sid && one.client_id === other.client_id
}

const otherSession: Renewed = {
  type: 'refused',
  code: 'other_session',
  description: 'The access token is of another session.',
}

/** What a connection is told of a refusal. */
export function refusedBy({ body, headers }: Refusal): Renewed {
  const nonce = headers.find(([name]) => name === 'dpop-nonce')?.[1]
  return { type: 'refused', code: body.code, description: body.detail ?? body.title, nonce }
}
