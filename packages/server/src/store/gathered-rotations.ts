import { type Compilable, type Kysely, sql } from 'kysely'
import { gather } from './gather.ts'
import { type Db, isPostgres, type Store } from './open-store.ts'
import { prepared } from './prepared.ts'
import type { Tables } from './tables.ts'
import { together } from './together.ts'

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

/** Rotations that go together at most. */
const BATCH = 64

/**
 * Spends a generation, together with the rotations that arrive while earlier ones are under way: one commit for all of them, and on
 * PostgreSQL one statement, each decided by its own row. It resolves after that commit; one that fails, or whose fate is not known,
 * fails for all in it. Of two rotations of one session the second waits for the next batch. They are sorted, and one batch
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
      const rows = await (isPostgres(db) ? inOne(db, rotations) : inTurn(db, rotations))
      const won = new Set(rows.map(({ id }) => id))
      return ({ id }) => won.has(id)
    },
  })
}

type Rows = readonly { readonly id: string }[]

/** SQLite has no way to go, and its driver commits together what comes together. */
async function inTurn(db: Db, rotations: readonly Rotation[]): Promise<Rows> {
  const rows = await together(db, (send) =>
    Promise.all(
      rotations.map(({ expected, ...changes }) =>
        send(
          rotated.filled(db, {
            ...changes,
            expectedGeneration: expected.generation,
            expectedHash: expected.refreshHash,
          }),
        ),
      ),
    ),
  )
  return rows.flat()
}

const rotated = prepared(
  (
    db,
    rotation: Omit<Rotation, 'expected'> & {
      readonly expectedGeneration: number
      readonly expectedHash: string
    },
  ) =>
    db
      .updateTable('sessions')
      .set({
        generation: rotation.generation,
        refresh_hash: rotation.refreshHash,
        attempt_hash: rotation.attemptHash,
        previous_attempt_hash: rotation.previousAttemptHash,
        rotated_at: rotation.now,
        idle_expires_at: rotation.idleExpiresAt,
      })
      .where('id', '=', rotation.id)
      .where('generation', '=', rotation.expectedGeneration)
      .where('refresh_hash', '=', rotation.expectedHash)
      .where('ended_at', 'is', null)
      .returning('id'),
)

function inOne(db: Db, rotations: readonly Rotation[]): Promise<Rows> {
  const list = <T>(read: (rotation: Rotation) => T): readonly T[] => rotations.map(read)
  return rotatedAll(db, {
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

const rotatedAll = prepared(
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
