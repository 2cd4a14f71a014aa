import { type Compilable, type Kysely, type RawBuilder, sql } from 'kysely'
import { gather } from './gather.ts'
import { isPostgres, type Store } from './open-store.ts'
import { prepared } from './prepared.ts'
import type { Tables } from './tables.ts'

export interface Rotation {
  readonly id: string
  /** The row as it was judged: of any number of callers that saw it, one wins. */
  readonly expected: { readonly generation: number; readonly refreshHash: string }
  readonly generation: number
  readonly refreshHash: string
  readonly attemptHash: string | null
  readonly previousAttemptHash: string | null
  readonly now: number
  readonly idleExpiresAt: number
}

/** Rotations that go into one statement at most. */
const BATCH = 64

/**
 * Spends a generation, together with the rotations that arrive while an earlier statement is under way: one statement and one
 * commit for all of them, each decided by its own row. It resolves after that commit; one that fails, or whose fate is not known,
 * fails for all in it. Of two rotations of one session the second waits for the next statement. They are sorted, and one statement
 * is under way at a time while none is late, so that on PostgreSQL they do not lock each other out; where they do, it stops one of
 * them (40P01), and it is tried again.
 *
 * False: the row is no longer what the caller judged.
 */
export function rotateSession({ db }: Store, rotation: Rotation): Promise<boolean> {
  const gatherer = gatherers.get(db) ?? gathererOf(db)
  gatherers.set(db, gatherer)
  return gatherer(rotation)
}

const gatherers = new WeakMap<Kysely<Tables>, (rotation: Rotation) => Promise<boolean>>()

function gathererOf(db: Kysely<Tables>): (rotation: Rotation) => Promise<boolean> {
  return gather<Rotation, boolean>({
    atMost: BATCH,
    keyOf: ({ id }) => id,
    async run(rotations) {
      const rows = await rotated(db, { rotations: JSON.stringify(rotations.map(rowOf)) })
      const won = new Set(rows.map(({ id }) => id))
      return ({ id }) => won.has(id)
    },
  })
}

/** In the order of the columns below. */
function rowOf(rotation: Rotation): readonly (string | number | null)[] {
  return [
    rotation.id,
    rotation.expected.generation,
    rotation.expected.refreshHash,
    rotation.generation,
    rotation.refreshHash,
    rotation.attemptHash,
    rotation.previousAttemptHash,
    rotation.now,
    rotation.idleExpiresAt,
  ]
}

type Rotated = Compilable<{ readonly id: string }>

const rotated = prepared(
  (db, { rotations }: { readonly rotations: string }): Rotated => ({
    compile: () =>
      sql<{ readonly id: string }>`
      update sessions set
        generation = next.generation,
        refresh_hash = next.refresh_hash,
        attempt_hash = next.attempt_hash,
        previous_attempt_hash = next.previous_attempt_hash,
        rotated_at = next.rotated_at,
        idle_expires_at = next.idle_expires_at
      from (
        select
          ${column('text', 0)} as id,
          ${column('integer', 1)} as expected_generation,
          ${column('text', 2)} as expected_hash,
          ${column('integer', 3)} as generation,
          ${column('text', 4)} as refresh_hash,
          ${column('text', 5)} as attempt_hash,
          ${column('text', 6)} as previous_attempt_hash,
          ${column('bigint', 7)} as rotated_at,
          ${column('bigint', 8)} as idle_expires_at
        from ${isPostgres(db) ? sql`json_array_elements(${rotations}::json)` : sql`json_each(${rotations})`} as each
      ) as next
      where sessions.id = next.id
        and sessions.generation = next.expected_generation
        and sessions.refresh_hash = next.expected_hash
        and sessions.ended_at is null
      returning sessions.id`.compile(db),
  }),
)

/** A member of a row of JSON, the same way for both databases. */
function column(type: 'text' | 'integer' | 'bigint', at: number): RawBuilder<unknown> {
  return sql`cast(each.value ->> ${sql.lit(at)} as ${sql.raw(type)})`
}
