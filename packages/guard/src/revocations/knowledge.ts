import type { AccessClaims } from '../access-claims.ts'
import { accountHash, type Mark, markOf, sessionHash } from './mark.ts'
import { BEGINNING, isSamePlace, type Place } from './place.ts'
import { createRevokedTable } from './revoked-table.ts'
import type { Statement } from './statement.ts'

/**
 * What a guard knows of revocations by now. It only ever learns more: nothing that the feed tells can let a revoked token in again. What
 * the feed told of a key, the issuer itself can deny.
 */
export interface Knowledge {
  /** Whether a good token is of a revoked session, older than its account's epoch, or signed with a withdrawn key. */
  revokes(claims: AccessClaims, kid: string | undefined): boolean
  isWithdrawn(kid: string | undefined): boolean
  /** From now on a key proves nothing. */
  withdraw(kid: string): void
  reinstate(kid: string): void
  /** Takes a verified statement in, but for what it says of keys. False: something before it was missed, and is missing still. */
  learn(statement: Statement): boolean
  /** Up to where everything is known. */
  readonly place: Place
  /** The moment, in milliseconds, as of which everything was known. */
  readonly asOf: number
  readonly entries: number
  readonly bytes: number
  /** Frees the next part of what is over. */
  sweep(): void
}

/** `told` is called whenever something was revoked. */
export function createKnowledge(clock: () => number, told: () => void = () => {}): Knowledge {
  const table = createRevokedTable()
  const withdrawn = new Set<string>()
  // A verifier with a cache gives the same claims again: then nothing is hashed.
  const marks = new WeakMap<AccessClaims, { readonly session: Mark | undefined; readonly account: Mark }>()
  const now = () => Math.floor(clock() / 1000)
  let place = BEGINNING
  let asOf = Number.NEGATIVE_INFINITY

  return {
    revokes(claims, kid) {
      if (isWithdrawn(kid)) return true
      if (table.size === 0) return false
      const { session, account } = marksOf(claims)
      const moment = now()
      if (session && table.epochOf(session, moment) > 0) return true
      return table.epochOf(account, moment) > (claims.epoch ?? 0)
    },
    isWithdrawn,
    withdraw(kid) {
      withdrawn.add(kid)
      told()
    },
    reinstate: (kid) => withdrawn.delete(kid),
    learn({ prev, upTo, says }) {
      if (says.type === 'revoked') {
        const moment = now()
        for (const entry of says.entries) table.add(entry, moment)
        told()
      }
      if (prev.seq > 0 && !isSamePlace(prev, place)) return false
      if (says.type === 'head') asOf = Math.max(asOf, Math.min(says.at, clock()))
      // One that was said before moves this back, and the gap that shows next is filled by asking again.
      place = upTo
      return true
    },
    get place() {
      return place
    },
    get asOf() {
      return asOf
    },
    get entries() {
      return table.size
    },
    get bytes() {
      return table.bytes
    },
    sweep: () => table.sweep(now()),
  }

  function isWithdrawn(kid: string | undefined): boolean {
    return kid !== undefined && withdrawn.has(kid)
  }

  function marksOf(claims: AccessClaims) {
    const known = marks.get(claims)
    if (known) return known
    const { sid, sub } = claims
    const made = {
      session: sid === undefined ? undefined : markOf(sessionHash(sid)),
      account: markOf(accountHash(sub)),
    }
    marks.set(claims, made)
    return made
  }
}
