import { type Insertable, sql } from 'kysely'
import type { Db, Tx } from './open-store.ts'
import { type Prepared, prepared } from './prepared.ts'
import type { Tables } from './tables.ts'

export interface AccountRecord {
  readonly id: string
  readonly name: string | null
  readonly passwordHash: string | null
  readonly epoch: number
  readonly roles: string
  readonly scopes: string
  /** JSON, or null for none. */
  readonly profile: string | null
  readonly disabledAt: number | null
  readonly lastLoginAt: number | null
  readonly createdAt: number
}

export type NewAccountRecord = Omit<AccountRecord, 'epoch' | 'lastLoginAt'>

export interface IdentifierRecord {
  readonly kind: string
  readonly value: string
  readonly display: string
  readonly verifiedAt: number | null
}

const columns = [
  'accounts.id as id',
  'accounts.name as name',
  'accounts.password_hash as passwordHash',
  'accounts.epoch as epoch',
  'accounts.roles as roles',
  'accounts.scopes as scopes',
  'accounts.profile as profile',
  'accounts.disabled_at as disabledAt',
  'accounts.last_login_at as lastLoginAt',
  'accounts.created_at as createdAt',
] as const

const identifierColumns = ['kind', 'value', 'display', 'verified_at as verifiedAt'] as const

/** An account by its id; one that was deleted is not there. */
export async function findAccount(db: Db, id: string): Promise<AccountRecord | undefined> {
  const [account] = await accountById(db, { id })
  return account
}

const accountById = prepared((db, { id }: { readonly id: string }) =>
  db.selectFrom('accounts').select(columns).where('id', '=', id).where('deleted_at', 'is', null),
)

export function identifiersOf(db: Db, accountId: string): Promise<IdentifierRecord[]> {
  return identifiersByAccount(db, { accountId })
}

const identifiersByAccount = prepared((db, { accountId }: { readonly accountId: string }) =>
  db.selectFrom('identifiers').select(identifierColumns).where('account_id', '=', accountId).orderBy('kind'),
)

/** The first account that one of the names is of, with all of its identifiers, in one statement. */
export async function findAccountByNames(
  db: Db,
  names: readonly Pick<IdentifierRecord, 'kind' | 'value'>[],
): Promise<
  { readonly account: AccountRecord; readonly identifiers: readonly IdentifierRecord[] } | undefined
> {
  const [first, other = first] = names
  if (!first || !other) return undefined
  const rows = await accountsByNames(db, { kind: first.kind, value: first.value, other: other.value })
  const wanted = rows.some(({ named }) => named === first.value) ? first.value : other.value
  const of = rows.filter(({ named }) => named === wanted)
  return of[0] && { account: of[0], identifiers: of.map(identifierOf) }
}

const accountsByNames = prepared(
  (db, { kind, value, other }: { readonly kind: string; readonly value: string; readonly other: string }) =>
    db
      .selectFrom('identifiers as names')
      .innerJoin('accounts', 'accounts.id', 'names.account_id')
      .innerJoin('identifiers', 'identifiers.account_id', 'accounts.id')
      .select(columns)
      .select([
        'names.value as named',
        'identifiers.kind as kind',
        'identifiers.value as value',
        'identifiers.display as display',
        'identifiers.verified_at as verifiedAt',
      ])
      .where('names.kind', '=', kind)
      .where((is) => is.or([is('names.value', '=', value), is('names.value', '=', other)]))
      .orderBy('identifiers.kind'),
)

function identifierOf({ kind, value, display, verifiedAt }: IdentifierRecord): IdentifierRecord {
  return { kind, value, display, verifiedAt }
}

/** A page of all accounts, in the order of their ids, each with its identifiers. */
export async function listAccounts(
  db: Db,
  { after, limit }: { after: string; limit: number },
): Promise<{ account: AccountRecord; identifiers: IdentifierRecord[] }[]> {
  const accounts = await db
    .selectFrom('accounts')
    .select(columns)
    .where('id', '>', after)
    .where('deleted_at', 'is', null)
    .orderBy('id')
    .limit(limit)
    .execute()
  if (accounts.length === 0) return []
  const found = await db
    .selectFrom('identifiers')
    .select([...identifierColumns, 'account_id as accountId'])
    .where(
      'account_id',
      'in',
      accounts.map((account) => account.id),
    )
    .orderBy('kind')
    .execute()
  return accounts.map((account) => ({
    account,
    identifiers: found.filter((identifier) => identifier.accountId === account.id),
  }))
}

/** Throws `StoreError` `duplicate` when there is, or was, an account of that id. */
export async function insertAccount(db: Db, account: NewAccountRecord): Promise<void> {
  await db.insertInto('accounts').values(accountRow(account)).execute()
}

/**
 * Inserts an account with its identifiers, or nothing where the id or an identifier is there already. False:
 * nothing. It waits for others who are inserting the same.
 */
export async function insertAccountIfNew(
  db: Tx,
  {
    account,
    identifiers,
    now,
  }: { account: NewAccountRecord; identifiers: readonly IdentifierRecord[]; now: number },
): Promise<boolean> {
  const accountId = account.id
  const inserted = await db
    .insertInto('accounts')
    .values(accountRow(account))
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!inserted) return false
  for (const identifier of identifiers) {
    const isNew = await db
      .insertInto('identifiers')
      .values(identifierRow({ ...identifier, accountId, now }))
      .onConflict((conflict) => conflict.doNothing())
      .returning('kind')
      .executeTakeFirst()
    if (isNew) continue
    await db.deleteFrom('accounts').where('id', '=', accountId).execute()
    return false
  }
  return true
}

function accountRow(account: NewAccountRecord): Insertable<Tables['accounts']> {
  return {
    id: account.id,
    name: account.name,
    password_hash: account.passwordHash,
    roles: account.roles,
    scopes: account.scopes,
    profile: account.profile,
    disabled_at: account.disabledAt,
    created_at: account.createdAt,
    updated_at: account.createdAt,
  }
}

/** Throws `StoreError` `duplicate` when another account has it. */
export async function insertIdentifier(
  db: Db,
  identifier: IdentifierRecord & { readonly accountId: string; readonly now: number },
): Promise<void> {
  await db.insertInto('identifiers').values(identifierRow(identifier)).execute()
}

function identifierRow(
  identifier: IdentifierRecord & { readonly accountId: string; readonly now: number },
): Insertable<Tables['identifiers']> {
  return {
    kind: identifier.kind,
    value: identifier.value,
    account_id: identifier.accountId,
    display: identifier.display,
    verified_at: identifier.verifiedAt,
    created_at: identifier.now,
  }
}

/** Disables an account and raises its epoch. Returns the new epoch, or undefined when there is nothing to do. */
export async function disableAccount(
  db: Db,
  { id, now }: { id: string; now: number },
): Promise<number | undefined> {
  const row = await db
    .updateTable('accounts')
    .set({ disabled_at: now, updated_at: now, epoch: sql<number>`epoch + 1` })
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .returning('epoch')
    .executeTakeFirst()
  return row?.epoch
}

/** Takes a disabling back. False: there was none. */
export async function enableAccount(db: Db, { id, now }: { id: string; now: number }): Promise<boolean> {
  const row = await db
    .updateTable('accounts')
    .set({ disabled_at: null, updated_at: now })
    .where('id', '=', id)
    .where('disabled_at', 'is not', null)
    .where('deleted_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** An account as it stands, which nobody else can change until the transaction is over. */
export function lockAccount(db: Tx, id: string): Promise<AccountRecord | undefined> {
  return db
    .updateTable('accounts')
    .set({ updated_at: sql<number>`updated_at` })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .returning(columns)
    .executeTakeFirst()
}

/**
 * Lets a session of the account begin, and locks the account until the transaction is over: logins of one
 * account stand in line. No row: it was disabled, deleted, or has another password hash than `passwordHash`, where that is not null.
 */
export const admission: Prepared<
  { readonly id: string; readonly passwordHash: string | null; readonly now: number },
  { readonly id: string }
> = prepared((db, { id, passwordHash, now }) =>
  db
    .updateTable('accounts')
    .set({ last_login_at: now })
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .where('deleted_at', 'is', null)
    .where((is) =>
      is.or([is('password_hash', '=', passwordHash), sql<boolean>`cast(${passwordHash} as text) is null`]),
    )
    .returning('id'),
)

/** Puts a new hash of the same password in the place of an old one. False: it was no longer the old one. */
export async function replacePasswordHash(
  db: Db,
  { id, from, to, now }: { id: string; from: string; to: string; now: number },
): Promise<boolean> {
  const row = await db
    .updateTable('accounts')
    .set({ password_hash: to, updated_at: now })
    .where('id', '=', id)
    .where('password_hash', '=', from)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** Writes what an account may do; `raise` refuses its older access tokens. Returns the epoch from now on. */
export async function writeGrants(
  db: Tx,
  {
    id,
    roles,
    scopes,
    raise,
    now,
  }: { id: string; roles: string; scopes: string; raise: boolean; now: number },
): Promise<number> {
  const row = await db
    .updateTable('accounts')
    .set({ roles, scopes, updated_at: now, epoch: sql<number>`epoch + ${raise ? 1 : 0}` })
    .where('id', '=', id)
    .returning('epoch')
    .executeTakeFirstOrThrow()
  return row.epoch
}

export async function writeProfile(
  db: Tx,
  { id, name, profile, now }: { id: string; name: string | null; profile: string | null; now: number },
): Promise<void> {
  await db.updateTable('accounts').set({ name, profile, updated_at: now }).where('id', '=', id).execute()
}
