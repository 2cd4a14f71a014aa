import type { Answer } from '../start-auth.ts'
import { clockOf } from './arena.ts'
import type { Delivery } from './deliver.ts'
import type { StoredRow } from './hands.ts'
import type { Expected, Row } from './rules.ts'
import { attemptOf, inOrder, namesOf, readRow } from './stored.ts'
import { generationOf, type Session, type World } from './world.ts'

/** The server did what the model, or a promise to people, does not allow; the message tells the whole story. */
export class Disagreement extends Error {
  override readonly name = 'Disagreement'
}

export async function disagreement(
  world: World,
  session: Session,
  findings: readonly string[],
): Promise<Disagreement> {
  const stored = await readRow(world, session)
  const rows = [
    `the row of ${session.owner}'s session: ${storedInWords(world, stored)}`,
    `the row that the model has so far: ${rowInWords(world, session.row)}`,
  ]
  return new Disagreement([...story(world), ...findings, ...rows, ...errors(world), ''].join('\n'))
}

/** Something was thrown where nothing may be. */
export function broken(world: World, thrown: unknown): Disagreement {
  const said = thrown instanceof Error ? thrown.message : String(thrown)
  return new Disagreement([...story(world), `then: ${said}`, ...errors(world), ''].join('\n'), {
    cause: thrown,
  })
}

function story({ trace }: World): string[] {
  return ['', ...trace.map((step, index) => `${String(index + 1).padStart(3)}. ${step}`), '']
}

/** What the servers reported beside their answers. */
function errors({ arena }: World): string[] {
  return arena.site.events.flatMap((event) => {
    if (event.type !== 'error') return []
    const cause = event.error instanceof Error ? (event.error.cause ?? event.error) : event.error
    return [`a server reported: ${cause instanceof Error ? cause.message : String(cause)}`]
  })
}

export function requestInWords(delivery: Delivery): string {
  const { replica } = delivery
  if (delivery.type === 'logout') return `${delivery.by.name} logs out at ${replica.name}`
  const { by, tab, generation, attempt, spoil, proof } = delivery.message
  const who = by.honest ? `tab ${tab} of ${by.name}` : by.name
  const id = attempt === undefined ? 'without an attempt id' : `with attempt ${attempt}`
  const how = by.session.device ? (proof ? `with proof ${proof.name}` : 'with no proof') : id
  const verb = delivery.again ? 'is heard again, renewing' : 'renews'
  return `${who} ${verb} generation ${generation} ${how}${spoil ? `, ${spoil},` : ''} at ${replica.name}`
}

export function answerInWords({ status, json }: Answer): string {
  if (status === 200) return `200, generation ${generationOf(json.refresh_token)}`
  return [status, json.code, json.end_reason && `(${json.end_reason})`].filter(Boolean).join(' ')
}

export function expectedInWords(expected: Expected): string {
  if (expected.status === 200) {
    const same = expected.token === undefined ? '' : ', the same token as before'
    return `200, generation ${expected.generation}${same}`
  }
  return [expected.status, expected.code, expected.endReason && `(${expected.endReason})`]
    .filter(Boolean)
    .join(' ')
}

function rowInWords(world: World, row: Row): string {
  return inWords(world, { ...row, used: row.bound && namesOf(row) })
}

function storedInWords(world: World, stored: StoredRow): string {
  return inWords(world, {
    generation: Number(stored['generation']),
    attempt: attemptOf(stored['attempt_hash'], world),
    previousAttempt: attemptOf(stored['previous_attempt_hash'], world),
    rotatedAt: Number(stored['rotated_at']),
    idleExpiresAt: Number(stored['idle_expires_at']),
    ended: stored['end_reason'] === null ? undefined : String(stored['end_reason']),
    used: Array.isArray(stored['used']) ? stored['used'] : undefined,
  })
}

function inWords(
  { arena }: World,
  row: Pick<Row, 'generation' | 'attempt' | 'previousAttempt' | 'rotatedAt' | 'idleExpiresAt' | 'ended'> & {
    readonly used: readonly string[] | undefined
  },
): string {
  const made = row.attempt === undefined ? 'made without an attempt id' : `made by ${row.attempt}`
  const before = row.previousAttempt === undefined ? '' : `, the one before by ${row.previousAttempt}`
  const now = clockOf(arena, arena.replicas[0])
  const ended = row.ended === undefined ? '' : `; ended: ${row.ended}`
  const its = row.used
    ? `proofs used: ${inOrder(row.used) || 'none'}; renewed`
    : `generation ${row.generation} ${made}${before}; rotated`
  return `${its} ${duration(now - row.rotatedAt)} ago, idle end in ${duration(row.idleExpiresAt - now)}${ended}`
}

/** Milliseconds, for people. */
export function duration(milliseconds: number): string {
  return `${milliseconds / 1000} s`
}
