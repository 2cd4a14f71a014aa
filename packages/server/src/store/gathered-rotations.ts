import { type Compilable, type Kysely, type RawBuilder, sql } from 'kysely'
import { gather } from './gather.ts'
import { type Db, isPostgres, type Store } from './open-store.ts'
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
      const won = new Set((await rotated(db, parametersOf(db, rotations))).map(({ id }) => id))
      return ({ id }) => won.has(id)
    },
  })
}

const COLUMNS: readonly (readonly [
  name: string,
  type: 'text' | 'integer' | 'bigint',
  read: (rotation: Rotation) => string | number | null,
])[] = [
  ['id', 'text', (rotation) => rotation.id],
  ['expected_generation', 'integer', ({ expected }) => expected.generation],
  ['expected_hash', 'text', ({ expected }) => expected.refreshHash],
  ['generation', 'integer', (rotation) => rotation.generation],
  ['refresh_hash', 'text', (rotation) => rotation.refreshHash],
  ['attempt_hash', 'text', (rotation) => rotation.attemptHash],
  ['previous_attempt_hash', 'text', (rotation) => rotation.previousAttemptHash],
  ['rotated_at', 'bigint', (rotation) => rotation.now],
  ['idle_expires_at', 'bigint', (rotation) => rotation.idleExpiresAt],
]

/** PostgreSQL takes an array for each column: of JSON it would expect so many rows that it reads a small table whole. */
function parametersOf(db: Db, rotations: readonly Rotation[]): Readonly<Record<string, unknown>> {
  if (isPostgres(db)) return Object.fromEntries(COLUMNS.map(([name, , read]) => [name, rotations.map(read)]))
  return { rows: JSON.stringify(rotations.map((rotation) => COLUMNS.map(([, , read]) => read(rotation)))) }
}

type Rotated = Compilable<{ readonly id: string }>

const rotated = prepared(
  (db, parameters: Readonly<Record<string, unknown>>): Rotated => ({
    compile: () =>
      sql<{ readonly id: string }>`
      update sessions set
        generation = next.generation,
        refresh_hash = next.refresh_hash,
        attempt_hash = next.attempt_hash,
        previous_attempt_hash = next.previous_attempt_hash,
        rotated_at = next.rotated_at,
        idle_expires_at = next.idle_expires_at
      from ${isPostgres(db) ? arrays(parameters) : json(parameters)}
      where sessions.id = next.id
        and sessions.generation = next.expected_generation
        and sessions.refresh_hash = next.expected_hash
        and sessions.ended_at is null
      returning sessions.id`.compile(db),
  }),
)

function arrays(parameters: Readonly<Record<string, unknown>>): RawBuilder<unknown> {
  const lists = COLUMNS.map(([name, type]) => sql`${parameters[name]}::${sql.raw(type)}[]`)
  return sql`unnest(${sql.join(lists)}) as next (${sql.join(COLUMNS.map(([name]) => sql.ref(name)))})`
}

function json({ rows }: Readonly<Record<string, unknown>>): RawBuilder<unknown> {
  const columns = COLUMNS.map(([name], at) => sql`each.value ->> ${sql.lit(at)} as ${sql.ref(name)}`)
  return sql`(select ${sql.join(columns)} from json_each(${rows}) as each) as next`
}
