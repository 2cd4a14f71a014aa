import { createHash } from 'node:crypto'
import type { StoredRow } from './hands.ts'
import type { Row } from './rules.ts'
import { idempotencyKey, type Session, type World } from './world.ts'

/** A session as the database has it, with the names of the proofs that it has seen. */
export async function readRow(world: World, { sid, device }: Session): Promise<StoredRow> {
  const { hands } = world.arena
  const [row] = await hands.run(`select * from sessions where id = '${sid}'`)
  if (!row) throw new Error('the row of the session is gone')
  if (!device) return row
  const made = new Map(
    Array.from({ length: world.proofs }, (_, index) => {
      const name = `p${index + 1}`
      return [hashed(`${device.jkt}.${name}`), name] as const
    }),
  )
  const known = [...made.keys()].map((hash) => `'${hash}'`).join(', ')
  const seen = await hands.run(`select hash from dpop_proofs where hash in (${known})`)
  return { ...row, used: seen.map(({ hash }) => made.get(String(hash))) }
}

/** Whether the database and the model say the same of a session. */
export function sameRow(stored: StoredRow, row: Row): boolean {
  return (
    Number(stored['generation']) === row.generation &&
    (row.token === undefined || stored['refresh_hash'] === hashed(row.token)) &&
    stored['attempt_hash'] === hashedAttempt(row.attempt) &&
    stored['previous_attempt_hash'] === hashedAttempt(row.previousAttempt) &&
    Number(stored['rotated_at']) === row.rotatedAt &&
    Number(stored['idle_expires_at']) === row.idleExpiresAt &&
    (stored['end_reason'] ?? undefined) === row.ended &&
    (!row.bound || inOrder(stored['used']) === inOrder(namesOf(row)))
  )
}

/** The proofs that the model says were used. */
export function namesOf({ bound }: Row): string[] {
  return bound?.used.map(({ name }) => name) ?? []
}

/** Names in one order, to compare. */
export function inOrder(names: unknown): string {
  return Array.isArray(names) ? names.toSorted().join(', ') : ''
}

/** The attempt id of the world that a hash stands for. */
export function attemptOf(hash: unknown, world: World): string | undefined {
  const named = Array.from({ length: world.attempts }, (_, index) => `a${index + 1}`)
  return hash === null
    ? undefined
    : (named.find((attempt) => hashedAttempt(attempt) === hash) ?? 'an unknown one')
}

function hashedAttempt(attempt: string | undefined): string | null {
  return attempt === undefined ? null : hashed(idempotencyKey(attempt))
}

function hashed(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
