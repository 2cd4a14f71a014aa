import { type Compilable, type RawBuilder, sql } from 'kysely'
import type { Db } from './open-store.ts'
import { prepared } from './prepared.ts'
import type { Statement } from './together.ts'

/** One thing that is braked, and how much of it there may be. */
export interface BrakeRecord {
  readonly key: string
  readonly subject: string
  readonly atOnce: number
  /** Milliseconds. */
  readonly every: number
}

/** The wait after the first try too many; each further one doubles it. Milliseconds. */
const FIRST_WAIT = 1000
/** More doublings than any limit has. */
const MOST_DOUBLINGS = 20
/** How far two servers' clocks may be apart. A wait beyond that is of a clock that has gone back, and holds nobody up. */
const CLOCK_TOLERANCE = 60_000

/**
 * The one statement that reserves a try: it is counted in each of `brakes`, or, where one of them is closed, in none.
 * Whoever comes at the same moment is counted before or after, so that of any number of callers no more get a try
 * than there are. False: a brake is closed.
 *
 * A count is forgiven one by one, `every` milliseconds each. While it is under `atOnce` there is no wait; after that the
 * brake is closed for 1 s, 2 s, 4 s … after each try, and for `every` at most.
 */
export async function reserveTry(
  db: Db,
  brakes: readonly BrakeRecord[],
  { now }: { now: number },
): Promise<boolean> {
  const wanted = inOrder(brakes)
  const reserved = await reservationOf(wanted.length)(db, {
    now,
    tolerated: now + CLOCK_TOLERANCE,
    ...numbered(
      wanted.map((brake) => ({ ...brake, openAt: brake.atOnce === 1 ? now + waitAfter(brake) : 0 })),
    ),
  })
  if (reserved.length === wanted.length) return true
  // Another was faster at one of them: what was counted in the others is not going to be tried.
  const counted = new Set(reserved.map(({ key }) => key))
  const back = wanted.filter(({ key }) => counted.has(key))
  if (back.length > 0) await giveBackTry(db, back, { triedAt: now, now })
  return false
}

const reservationOf = byCount((count) =>
  prepared(
    (db, value: Parameters): Compilable<{ readonly key: string }> => ({
      compile: () =>
        sql<{ readonly key: string }>`
          with wanted (key, subject, at_once, every, open_at) as (values ${sql.join(
            each(count, (n) => sql`(${brakeValues(value, n)}, ${int(value[`openAt${n}`])})`),
          )})
          insert into brakes (key, subject, at_once, every, drained_at, open_at, tried_at)
          select key, subject, at_once, every, ${int(value['now'])} + every, open_at, ${int(value['now'])} from wanted
          where not exists (select 1 from brakes where key in (select key from wanted) and ${closed(value)})
          on conflict (key) do update set
            subject = excluded.subject,
            at_once = excluded.at_once,
            every = excluded.every,
            drained_at = ${drainedAt},
            open_at = ${openAt},
            tried_at = excluded.tried_at
          where not (${closed(value)})
          returning key`.compile(db),
    }),
  ),
)

/** Takes back a try that was reserved at `triedAt`, and the wait that it alone caused. */
export async function giveBackTry(
  db: Db,
  brakes: readonly BrakeRecord[],
  times: { triedAt: number; now: number },
): Promise<void> {
  await db.executeQuery(givingBackTry(db, brakes, times))
}

/** The statement of {@link giveBackTry}. */
export function givingBackTry(
  db: Db,
  brakes: readonly BrakeRecord[],
  { triedAt, now }: { triedAt: number; now: number },
): Statement {
  return returnOf(brakes.length).filled(db, { triedAt, now, ...numbered(inOrder(brakes)) })
}

// An upsert too, although the rows are there: it locks them in the same order, so that nobody waits in a circle.
const returnOf = byCount((count) =>
  prepared(
    (db, value: Parameters): Compilable => ({
      compile: () =>
        sql`
          insert into brakes (key, subject, at_once, every, drained_at, open_at, tried_at)
          values ${sql.join(each(count, (n) => sql`(${brakeValues(value, n)}, 0, 0, ${int(value['triedAt'])})`))}
          on conflict (key) do update set
            drained_at = brakes.drained_at - brakes.every,
            open_at = case
              when brakes.tried_at = excluded.tried_at then 0
              when brakes.drained_at - brakes.every <= ${int(value['now'])} + (brakes.at_once - 1) * brakes.every then 0
              else brakes.open_at end`.compile(db),
    }),
  ),
)

type Parameters = Readonly<Record<string, unknown>>

/** A statement for each number of brakes, made when it is needed. */
function byCount<Made>(make: (count: number) => Made): (count: number) => Made {
  const made = new Map<number, Made>()
  return (count) => {
    const statement = made.get(count) ?? make(count)
    made.set(count, statement)
    return statement
  }
}

/** The members of the first one as `key0` and so on, those of the second as `key1` … */
function numbered(rows: readonly object[]): Parameters {
  return Object.fromEntries(
    rows.flatMap((row, n) => Object.entries(row).map(([name, value]) => [`${name}${n}`, value])),
  )
}

function each<T>(count: number, make: (n: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, n) => make(n))
}

function brakeValues(value: Parameters, n: number): RawBuilder<unknown> {
  const texts = sql`${text(value[`key${n}`])}, ${text(value[`subject${n}`])}`
  return sql`${texts}, ${int(value[`atOnce${n}`])}, ${int(value[`every${n}`])}`
}

/** Which of the brakes are closed, and until when; the longest first. */
export async function closedBrakes(
  db: Db,
  brakes: readonly BrakeRecord[],
  { now }: { now: number },
): Promise<readonly { readonly key: string; readonly openAt: number }[]> {
  return db
    .selectFrom('brakes')
    .select(['key', 'open_at as openAt'])
    .where(
      'key',
      'in',
      brakes.map(({ key }) => key),
    )
    .where(sql<boolean>`${closed({ now, tolerated: now + CLOCK_TOLERANCE })}`)
    .orderBy('open_at', 'desc')
    .execute()
}

/** Forgets every try of these subjects. Returns how many brakes there were. */
export async function releaseSubjects(db: Db, subjects: readonly string[]): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom('brakes').where('subject', 'in', subjects).executeTakeFirst()
  return Number(numDeletedRows)
}

/** Removes brakes of which every try is forgiven, at most `limit` of them. Returns how many. */
export async function deleteDrainedBrakes(
  db: Db,
  { now, limit }: { now: number; limit: number },
): Promise<number> {
  const drained = db
    .selectFrom('brakes')
    .select('key')
    .where('drained_at', '<=', now)
    .orderBy('drained_at')
    .limit(limit)
  const { numDeletedRows } = await db
    .deleteFrom('brakes')
    .where('key', 'in', drained)
    .where('drained_at', '<=', now)
    .executeTakeFirst()
  return Number(numDeletedRows)
}

/** Rows are locked in one order by everybody. */
function inOrder(brakes: readonly BrakeRecord[]): readonly BrakeRecord[] {
  return [...brakes].sort((a, b) => (a.key < b.key ? -1 : 1))
}

function waitAfter({ every }: { every: number }): number {
  return Math.min(FIRST_WAIT, every)
}

/** More tries than a brake ever counts at once: beyond that they are of a clock that has gone back, and forgotten. */
const mostDrainedAt = sql`excluded.tried_at + ${sql.lit(CLOCK_TOLERANCE)} + (excluded.at_once + ${sql.lit(MOST_DOUBLINGS)}) * excluded.every`
/** Of the row that is there, while it is being counted up. */
const drainedAt = sql`case when brakes.drained_at > excluded.tried_at and brakes.drained_at <= ${mostDrainedAt}
  then brakes.drained_at + excluded.every else excluded.drained_at end`
/** How many tries there are beyond those that may be made at once, one that is forgiven in part counting as a whole. */
const over = sql`(((${drainedAt}) - excluded.tried_at + excluded.every - 1) / excluded.every - excluded.at_once)`
const doubled = sql`(cast(${sql.lit(FIRST_WAIT)} as bigint) << cast(${over} as integer))`
// No wait is no moment either: another server's clock may be a little behind that of whoever tried last.
const openAt = sql`case
  when ${over} < 0 then 0
  when ${over} > ${sql.lit(MOST_DOUBLINGS)} or ${doubled} > excluded.every then excluded.tried_at + excluded.every
  else excluded.tried_at + ${doubled} end`

function closed({ now, tolerated }: Parameters): RawBuilder<unknown> {
  return sql`brakes.open_at > ${int(now)} and brakes.open_at <= ${int(tolerated)} + brakes.every`
}

// Neither database knows the type of a parameter by itself, and SQLite would divide as real numbers.
function int(value: unknown): RawBuilder<unknown> {
  return sql`cast(${value} as bigint)`
}

function text(value: unknown): RawBuilder<unknown> {
  return sql`cast(${value} as text)`
}
