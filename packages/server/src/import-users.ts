import { z } from 'zod'
import { readIdentifiers } from './account.ts'
import type { Admin } from './actor.ts'
import { recordAll } from './audit.ts'
import { AuthError } from './auth-error.ts'
import type { Context } from './context.ts'
import type { AuditedEvent } from './events.ts'
import { readGrants } from './grants.ts'
import { text } from './http/body.ts'
import { newId } from './new-id.ts'
import { readHash } from './passwords/read-hash.ts'
import { changedProfile, type ProfileChange, profileFields } from './profile.ts'
import { type IdentifierRecord, insertAccountIfNew, type NewAccountRecord } from './store/accounts.ts'
import { inTransaction, type Tx } from './store/open-store.ts'

/**
 * A user of another system, in the words that `User` has, and as a line of a file. At least one of `email` and
 * `username` is needed. A member that is not one of these is refused, so that nothing is lost unnoticed.
 */
export interface ImportedUser extends ProfileChange {
  /** Kept, so that the `sub` of tokens stays what other tables know. 1 to 128 visible ASCII characters. @default a new one */
  readonly id?: string | undefined
  readonly email?: string | null | undefined
  readonly email_verified?: boolean | undefined
  readonly username?: string | null | undefined
  /** argon2, bcrypt, scrypt or PBKDF2. @default none: nobody can log in with a password */
  readonly password_hash?: string | null | undefined
  readonly roles?: readonly string[] | undefined
  readonly scopes?: readonly string[] | undefined
  readonly disabled?: boolean | undefined
  /** Seconds. @default now */
  readonly created_at?: number | undefined
}

export type ImportOutcome =
  | { readonly type: 'imported'; readonly id: string }
  /** Somebody has the identifier or the id already, and stays as they are. */
  | { readonly type: 'duplicate' }
  /** `reason` is a sentence; of the user it names members, and no value. */
  | { readonly type: 'refused'; readonly reason: string }

/**
 * Takes over users of another system, with their password hashes. Each is imported whole or not at all, and
 * has an outcome of its own, in the order given; what is there already is never changed, so the same batch may
 * be sent again. A hash is replaced at the first login with the password that it is the hash of.
 */
export async function importUsers(
  ctx: Context,
  batch: readonly unknown[],
  admin: Admin,
): Promise<ImportOutcome[]> {
  const outcomes: ImportOutcome[] = []
  for (let start = 0; start < batch.length; start += AT_ONCE) {
    const readings = batch.slice(start, start + AT_ONCE).map((entry) => readUser(ctx, entry))
    const { saved, events } = await inTransaction(ctx.store, async (db) => {
      const saved = await saveAll(ctx, db, readings)
      const events = importedEvents(ctx, saved)
      await recordAll(db, events, admin)
      return { saved, events }
    })
    for (const event of events) ctx.emit(event)
    outcomes.push(...saved)
  }
  return outcomes
}

/** In one transaction: few enough that nobody else waits long. */
const AT_ONCE = 100

type Reading =
  | {
      readonly type: 'user'
      readonly account: NewAccountRecord
      readonly identifiers: readonly IdentifierRecord[]
    }
  | Extract<ImportOutcome, { type: 'refused' }>

async function saveAll(ctx: Context, db: Tx, readings: readonly Reading[]): Promise<ImportOutcome[]> {
  const outcomes: ImportOutcome[] = []
  for (const reading of readings)
    outcomes.push(reading.type === 'user' ? await save(ctx, db, reading) : reading)
  return outcomes
}

async function save(
  ctx: Context,
  db: Tx,
  { account, identifiers }: Extract<Reading, { type: 'user' }>,
): Promise<ImportOutcome> {
  const { id } = account
  if (!(await insertAccountIfNew(db, { account, identifiers, now: ctx.clock() })))
    return { type: 'duplicate' }
  return { type: 'imported', id }
}

function importedEvents(ctx: Context, outcomes: readonly ImportOutcome[]): readonly AuditedEvent[] {
  const at = ctx.clock()
  return outcomes.flatMap((outcome) =>
    outcome.type === 'imported' ? [{ type: 'account.imported', at, accountId: outcome.id }] : [],
  )
}

const schema = z.strictObject({
  ...profileFields,
  id: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters')
    .optional(),
  email: text(254).nullish(),
  email_verified: z.boolean().default(false),
  username: text(64).nullish(),
  password_hash: z.string().max(1024).nullish(),
  roles: z.array(z.string()).default([]),
  scopes: z.array(z.string()).default([]),
  disabled: z.boolean().default(false),
  created_at: z.int().min(0).optional(),
})

function readUser(ctx: Context, entry: unknown): Reading {
  const parsed = schema.safeParse(entry)
  if (!parsed.success) return refusal(sentence(parsed.error))
  const {
    id,
    email,
    email_verified,
    username,
    password_hash,
    roles,
    scopes,
    disabled,
    created_at,
    ...profile
  } = parsed.data
  const now = ctx.clock()
  const createdAt = created_at === undefined ? now : created_at * 1000
  if (createdAt > now) return refusal('created_at lies in the future; it is seconds since 1970.')
  const hash = password_hash == null ? undefined : readHash(password_hash)
  if (hash?.type === 'refused') return refusal(hash.reason)
  try {
    const grants = readGrants({ roles, scopes })
    const found = readIdentifiers(ctx, { email: email ?? undefined, username: username ?? undefined })
    const verifiedAt = (kind: string) => (kind === 'email' && email_verified ? createdAt : null)
    return {
      type: 'user',
      account: {
        id: id ?? newId(now),
        name: profile.name ?? null,
        passwordHash: password_hash ?? null,
        roles: JSON.stringify(grants.roles),
        scopes: JSON.stringify(grants.scopes),
        profile: changedProfile(null, profile),
        disabledAt: disabled ? now : null,
        createdAt,
      },
      identifiers: found.map((identifier) => ({ ...identifier, verifiedAt: verifiedAt(identifier.kind) })),
    }
  } catch (thrown) {
    if (thrown instanceof AuthError) return refusal(thrown.message)
    throw thrown
  }
}

function refusal(reason: string): Extract<ImportOutcome, { type: 'refused' }> {
  return { type: 'refused', reason }
}

function sentence({ issues: [issue] }: z.ZodError): string {
  const where = issue?.path.join('.')
  return where ? `${where}: ${issue?.message}` : (issue?.message ?? 'It is not a JSON object.')
}
