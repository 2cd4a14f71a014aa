import { type Compilable, type Kysely, sql } from 'kysely'
import { gather } from './gather.ts'
import type { Db } from './open-store.ts'
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
 * Spends a generation on PostgreSQL, together with the rotations that arrive while an earlier statement is under way: one statement
 * and one commit for all of them, each decided by its own row. It resolves after that commit; one that fails, or whose fate is
 * not known, fails for all in it. Of two rotations of one session the second waits for the next statement. They are sorted, and
 * one statement is under way at a time while none is late, so that they do not lock each other out; where they do, PostgreSQL
 * stops one of them (40P01), and it is tried again.
 *
 * False: the row is no longer what the caller judged.
 */
export function rotateGathered(db: Kysely<Tables>, rotation: Rotation): Promise<boolean> {
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
      const won = await rotateAll(db, rotations)
      return ({ id }) => won.has(id)
    },
  })
}

/** The ids of those that won. */
async function rotateAll(db: Db, rotations: readonly Rotation[]): Promise<ReadonlySet<string>> {
  const list = <T>(read: (rotation: Rotation) => T): readonly T[] => rotations.map(read)
  const rows = await rotated(db, {
    id: list(({ id }) => id),
    expectedGeneration: list(({ expected }) => expected.generation),
    expectedHash: list(({ expected }) => expected.refreshHash),
    generation: list(({ generation }) => generation),
    refreshHash: list(({ refreshHash }) => refreshHash),
    attemptHash: list(({ attemptHash }) => attemptHash),
    previousAttemptHash: list(({ previousAttemptHash }) => previousAttemptHash),
    now: list(({ now }) => now),
    idleExpiresAt: list(({ idleExpiresAt }) => idleExpiresAt),
  })
  return new Set(rows.map(({ id }) => id))
}

interface Columns {
  readonly id: readonly string[]
  readonly expectedGeneration: readonly number[]
  readonly expectedHash: readonly string[]
  readonly generation: readonly number[]
  readonly refreshHash: readonly string[]
  readonly attemptHash: readonly (string | null)[]
  readonly previousAttemptHash: readonly (string | null)[]
  readonly now: readonly number[]
  readonly idleExpiresAt: readonly number[]
}

const rotated = prepared(
  (db, to: Columns & Readonly<Record<string, unknown>>): Compilable<{ readonly id: string }> => ({
    compile: () =>
      sql<{ readonly id: string }>`
        update sessions set
          generation = next.generation,
          refresh_hash = next.refresh_hash,
          attempt_hash = next.attempt_hash,
          previous_attempt_hash = next.previous_attempt_hash,
          rotated_at = next.rotated_at,
          idle_expires_at = next.idle_expires_at
        from unnest(
          ${to.id}::text[], ${to.expectedGeneration}::integer[], ${to.expectedHash}::text[], ${to.generation}::integer[],
          ${to.refreshHash}::text[], ${to.attemptHash}::text[], ${to.previousAttemptHash}::text[],
          ${to.now}::bigint[], ${to.idleExpiresAt}::bigint[]
        ) as next (
          id, expected_generation, expected_hash, generation,
          refresh_hash, attempt_hash, previous_attempt_hash, rotated_at, idle_expires_at
        )
        where sessions.id = next.id
          and sessions.generation = next.expected_generation
          and sessions.refresh_hash = next.expected_hash
          and sessions.ended_at is null
        returning sessions.id`.compile(db),
  }),
)
