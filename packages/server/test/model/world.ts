import type { Device } from '../../../../test-support/device.ts'
import type { Answer } from '../start-auth.ts'
import type { Arena } from './arena.ts'
import type { Backup } from './hands.ts'
import type { History } from './history.ts'
import type { Nonce, SentProof } from './proof.ts'
import type { Row, Rule } from './rules.ts'

/** Everything of one run, but for the servers: who is there, what they hold, and what is on its way. */
export interface World {
  readonly arena: Arena
  readonly sessions: readonly Session[]
  readonly parties: Party[]
  /** Every renewal that was ever sent, whether it arrived or not. */
  readonly sent: Message[]
  /** Answers that were given and have not arrived. */
  readonly underWay: { readonly message: Message; readonly answer: Answer; readonly at: number }[]
  /** What happened, in words. */
  readonly trace: string[]
  /** How often each row of the table decided. */
  readonly decided: Map<Rule, number>
  attempts: number
  proofs: number
  /** How often each proof has reached a server. */
  readonly heard: Map<string, number>
  /** How far all clocks were set back, in milliseconds. */
  setBack: number
  /** How many backups were put back. */
  restores: number
  backup:
    | { readonly stored: Backup; readonly sessions: readonly Pick<Session, 'row' | 'history'>[] }
    | undefined
  /** Requests ran side by side: how many fetches without an attempt id were recorded is then a matter of luck. */
  raced: boolean
  /** A server went away under a request: what the audit log heard of it is then a matter of luck. */
  doubted: boolean
}

export interface Session {
  readonly sid: string
  readonly accountId: string
  readonly owner: string
  /** The key that it was bound to at login (DPoP), if it was. */
  readonly device: Device | undefined
  /** What the model says of the session. */
  row: Row
  history: History
  /** What happened that no client can be guarded against: why somebody honest may be logged out. */
  readonly excuses: Set<string>
  /** What the audit log should have heard. */
  readonly events: string[]
}

/** Who holds tokens: the client of an honest person, whose tabs share one store, or a thief with a copy. */
export interface Party {
  readonly name: string
  readonly honest: boolean
  readonly session: Session
  /** Makes an attempt id for each renewal, before sending it, and keeps it until it is answered. */
  readonly keepsAttempts: boolean
  /** Where the session is bound to a key: that key, or a thief's own, who has another. */
  readonly device: Device | undefined
  readonly store: Store
  /** How it was told that it is logged out. */
  loggedOut: string | undefined
}

interface Store {
  pair: Pair
  /** The attempt id under way. */
  pending: string | undefined
  /** The attempt id that brought this pair: a late tab may still have it. */
  broughtBy: string | undefined
  /** The newest nonce that a server gave. */
  nonce: Nonce | undefined
}

export interface Pair {
  readonly access: string
  readonly refresh: string
}

/** What is wrong with a request, if anything: of a session that rotates. */
export const spoils = [
  'without the access token',
  'with an access token that was tampered with',
  'with an access token of another session',
  'with a secret that was made up',
  'with the next generation written before the old secret',
  'with a proof that nobody asked for',
] as const
/** The same for a session that is bound to a key. */
export const boundSpoils = [
  'without the access token',
  'with an access token that was tampered with',
  'with an access token of another session',
  'with a secret that was made up',
  'with the next generation written before the old secret',
  'without a proof',
  'with its access token as Bearer',
  'with a proof of another key',
  'with a proof for another method',
  'with a proof for another address',
  'with a proof for another access token',
  'with a proof without a nonce',
  'with a proof that was used before',
] as const
export type Spoil = (typeof spoils)[number] | (typeof boundSpoils)[number]

/** One renewal as it was sent. */
export interface Message {
  readonly by: Party
  readonly tab: string
  readonly pair: { readonly access: string | undefined; readonly refresh: string }
  readonly generation: number
  readonly attempt: string | undefined
  readonly proof: SentProof | undefined
  readonly scheme: 'Bearer' | 'DPoP'
  readonly spoil: Spoil | undefined
  /** {@link World.restores} when it was sent. */
  readonly restores: number
}

/** RFC words have it opaque; the tests of the server know what it says. */
export function generationOf(refreshToken: string): number {
  return Number(refreshToken.split('.')[2])
}

/** An attempt id of the world in the form that the server takes. */
export function idempotencyKey(attempt: string): string {
  return `attempt-${attempt.padStart(16, '0')}`
}
