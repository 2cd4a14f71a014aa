/**
 * The session rules, written from the design's table (ARCHITECTURE.md, "The session table") and from nothing
 * else: what the server must answer, and what its row must say afterwards. Read it beside the table.
 * Attempt ids and tokens are compared as they are; the model neither hashes nor signs. Times are milliseconds.
 */
export interface Row {
  readonly generation: number
  /** The current refresh token; undefined while nobody was answered with it. */
  readonly token: string | undefined
  /** The attempt id that made the current generation, and the one that made the generation before. */
  readonly attempt: string | undefined
  readonly previousAttempt: string | undefined
  readonly rotatedAt: number
  readonly expiresAt: number
  readonly idleExpiresAt: number
  readonly ended: string | undefined
  /** The newest generation that was fetched without its attempt id, and how many did running. */
  readonly shared: { readonly generation: number; readonly run: number }
  /** Of a session that is bound to a key. */
  readonly bound: BoundRow | undefined
}

interface BoundRow {
  /** The session's one refresh token, as each server secret makes it. */
  readonly tokens: Readonly<Record<string, string>>
  /** The proofs for renewals that were right in every way. */
  readonly used: readonly { readonly name: string; readonly forgottenAt: number }[]
}

export interface Presented {
  readonly access: 'of the session' | 'missing' | 'not authentic' | 'of another session'
  readonly refresh: 'authentic' | 'made up'
  readonly token: string
  readonly generation: number
  readonly attempt: string | undefined
  /** The clock of the replica, when the request arrived there. */
  readonly at: number
  /** Which secret the replica makes tokens with. */
  readonly makes: string
  /** How the access token was sent. */
  readonly scheme: 'Bearer' | 'DPoP'
  readonly proof: Proof | undefined
}

/** A DPoP proof, as far as the rules look at it. */
export interface Proof {
  readonly name: string
  /** Whether it is by the key of the session and for this request, by method, address and access token. */
  readonly fits: boolean
  /** The moment by whose clock its nonce was given. */
  readonly nonceOf: number | undefined
}

export type Expected =
  | { readonly status: 200; readonly generation: number; readonly token: string | undefined }
  | { readonly status: 400 | 401; readonly code: string; readonly endReason?: string }

export interface Judgement {
  /** The row of the table that decided. */
  readonly rule: Rule
  readonly answer: Expected
  readonly next: Row
  /** What the audit log must hear of it. */
  readonly events: readonly string[]
}

export const rules = [
  ...(['1', '2', '3', '4', '5', '6', '7 with its id', '7 in time', '8', '9', 'unbound'] as const),
  ...(['no DPoP', 'no fit', 'old nonce', 'used proof', 'bound'] as const),
]
export type Rule = (typeof rules)[number]

/** A nonce is handed out for so long, and taken in that time and the ones beside it. */
export const NONCE_PERIOD = 150_000
/** A proof is remembered so much longer than its nonce is taken. */
export const REMEMBERED_LONGER = 60_000

export interface Settings {
  readonly reuseInterval: number
  readonly idleLifetime: number
  readonly lifetime: number
}

/** A session as login opens it, at the moment `at`, with the secret `makes`. */
export function opened(
  token: string,
  { at, makes, isBound }: { readonly at: number; readonly makes: string; readonly isBound: boolean },
  settings: Settings,
): Row {
  const expiresAt = at + settings.lifetime
  return {
    generation: 1,
    token,
    attempt: undefined,
    previousAttempt: undefined,
    rotatedAt: at,
    expiresAt,
    idleExpiresAt: Math.min(expiresAt, at + settings.idleLifetime),
    ended: undefined,
    shared: { generation: 0, run: 0 },
    bound: isBound ? { tokens: { [makes]: token }, used: [] } : undefined,
  }
}

/** The table: the first line whose condition holds decides. */
export function judge(row: Row, presented: Presented, settings: Settings): Judgement {
  const { access, refresh } = presented
  const mismatch = refresh === 'authentic' ? ['session.access_token_mismatch'] : []
  const table: readonly Line[] = [
    ['1', access === 'missing', () => ({ ...refused(400, 'access_token_required'), events: mismatch })],
    ['1', access !== 'of the session', () => ({ ...refused(401, 'invalid_token'), events: mismatch })],
    ['2', refresh !== 'authentic', () => refused(401, 'invalid_grant')],
    ...(row.bound ? boundLines(row, row.bound, presented, settings) : lines(row, presented, settings)),
  ]
  const [rule, , outcome] = table.find(([, holds]) => holds) ?? unreachable()
  return { rule, next: row, events: [], ...outcome() }
}

type Line = readonly [Rule, boolean, () => Outcome]

function lines(row: Row, presented: Presented, settings: Settings): readonly Line[] {
  const { generation, attempt, token, at, scheme, proof } = presented
  const age = Math.max(0, at - row.rotatedAt)
  const inTime = age < settings.reuseInterval
  const current = generation === row.generation
  const newer = generation > row.generation
  const previous = generation === row.generation - 1
  const twoBack = generation === row.generation - 2
  const knows = (kept: string | undefined) => attempt !== undefined && attempt === kept
  const end = endOf(row, at)
  const otherToken = current && row.token !== undefined && row.token !== token

  return [
    ['unbound', proof !== undefined || scheme === 'DPoP', () => refused(400, 'invalid_dpop_proof')],
    ['3', end !== undefined, () => refused(401, 'session_ended', end)],
    ['2', otherToken, () => refused(401, 'invalid_grant')],
    ['4', current && knows(row.attempt) && inTime, sameAgain],
    ['5', current, () => rotated(row.attempt)],
    ['6', newer, () => ({ ...rotated(undefined), events: ['session.adopted'] })],
    ['7 with its id', previous && knows(row.attempt), sameAgain],
    ['7 in time', previous && inTime, fetchedWithoutId],
    ['8', twoBack && knows(row.previousAttempt), () => refused(401, 'refresh_superseded')],
    ['9', true, theft],
  ]

  function sameAgain(): Outcome {
    return { answer: { status: 200, generation: row.generation, token: row.token } }
  }

  function rotated(previousAttempt: string | undefined): Outcome {
    const idleExpiresAt = Math.min(row.expiresAt, at + settings.idleLifetime)
    const made = { generation: generation + 1, token: undefined, attempt, previousAttempt }
    return {
      answer: { status: 200, generation: generation + 1, token: undefined },
      next: { ...row, ...made, rotatedAt: at, idleExpiresAt },
    }
  }

  function fetchedWithoutId(): Outcome {
    if (row.shared.generation === row.generation) return sameAgain()
    const run = row.shared.generation === row.generation - 1 ? row.shared.run + 1 : 1
    const shared = { generation: row.generation, run }
    const told = run === 3 ? ['session.line_shared'] : []
    return { ...sameAgain(), next: { ...row, shared }, events: ['session.fetched_without_attempt', ...told] }
  }

  function theft(): Outcome {
    const ended = 'refresh_token_reuse'
    const { answer } = refused(401, 'session_ended', ended)
    return { answer, next: { ...row, ended }, events: ['session.reuse_detected'] }
  }
}

/** A session that is bound to a key: the proof, which is good once, takes the place of rows 4 to 9. */
function boundLines(
  row: Row,
  bound: BoundRow,
  { scheme, proof, at, makes }: Presented,
  { idleLifetime }: Settings,
): readonly Line[] {
  const end = endOf(row, at)
  const period = proof?.nonceOf === undefined ? Number.NaN : periodOf(proof.nonceOf)
  const isUsed = bound.used.some(({ name }) => name === proof?.name)
  const use = proof && { name: proof.name, forgottenAt: endOfNonce(proof.nonceOf ?? at) + REMEMBERED_LONGER }
  const next = { ...row, bound: { ...bound, used: use ? [...bound.used, use] : bound.used } }
  const wrong = () => ({ ...refused(400, 'invalid_dpop_proof'), events: ['session.proof_refused'] })

  return [
    ['no DPoP', scheme !== 'DPoP', wrong],
    ['no fit', !proof?.fits, wrong],
    ['old nonce', !(Math.abs(period - periodOf(at)) <= 1), () => refused(400, 'use_dpop_nonce')],
    ['used proof', isUsed, wrong],
    ['3', end !== undefined, () => ({ ...refused(401, 'session_ended', end), next })],
    ['bound', true, renewed],
  ]

  function renewed(): Outcome {
    const idleExpiresAt = Math.min(row.expiresAt, at + idleLifetime)
    return {
      answer: { status: 200, generation: row.generation, token: bound.tokens[makes] },
      next: { ...next, token: undefined, rotatedAt: at, idleExpiresAt },
    }
  }
}

/** When a nonce of that moment is taken no more. */
export function endOfNonce(at: number): number {
  return (periodOf(at) + 2) * NONCE_PERIOD
}

function periodOf(moment: number): number {
  return Math.floor(moment / NONCE_PERIOD)
}

/** The row after a sweep at the moment `at`. */
export function swept(row: Row, at: number): Row {
  const { bound } = row
  if (!bound) return row
  return { ...row, bound: { ...bound, used: bound.used.filter(({ forgottenAt }) => forgottenAt >= at) } }
}

/** The row, with the refresh token that was given in the answer. */
export function givenOut(row: Row, token: string, makes: string): Row {
  const bound = row.bound && { ...row.bound, tokens: { ...row.bound.tokens, [makes]: token } }
  return { ...row, token, bound }
}

/** Why nobody can use the session at `at`, if so. */
export function endOf({ ended, expiresAt, idleExpiresAt }: Row, at: number): string | undefined {
  if (ended !== undefined) return ended
  if (expiresAt <= at) return 'expired'
  return idleExpiresAt <= at ? 'idle_expired' : undefined
}

/** Logout with a refresh token of the session, of whatever generation: ends what has not ended. */
export function loggedOut(row: Row): Row {
  return { ...row, ended: row.ended ?? 'logout' }
}

type Outcome = Pick<Judgement, 'answer'> & Partial<Pick<Judgement, 'next' | 'events'>>

function refused(status: 400 | 401, code: string, endReason?: string): Outcome {
  return { answer: { status, code, ...(endReason !== undefined && { endReason }) } }
}

function unreachable(): never {
  throw new Error('the last line of the table always holds')
}
