import { sql } from 'kysely'
import type { Db } from './open-store.ts'
import { prepared } from './prepared.ts'

export interface AccountRecord {
  readonly id: string
  readonly name: string | null
  readonly passwordHash: string | null
  readonly epoch: number
  readonly roles: string
  readonly scopes: string
  readonly disabledAt: number | null
  readonly createdAt: number
}

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
  'accounts.disabled_at as disabledAt',
  'accounts.created_at as createdAt',
] as const

const identifierColumns = ['kind', 'value', 'display', 'verified_at as verifiedAt'] as const

export async function findAccount(db: Db, id: string): Promise<AccountRecord | undefined> {
  const [account] = await accountById(db, { id })
  return account
}

const accountById = prepared((db, { id }: { readonly id: string }) =>
  db.selectFrom('accounts').select(columns).where('id', '=', id),
)

export function findAccountByIdentifier(
  db: Db,
  { kind, value }: { kind: string; value: string },
): Promise<AccountRecord | undefined> {
  return db
    .selectFrom('identifiers')
    .innerJoin('accounts', 'accounts.id', 'identifiers.account_id')
    .select(columns)
    .where('identifiers.kind', '=', kind)
    .where('identifiers.value', '=', value)
    .executeTakeFirst()
}

export function identifiersOf(db: Db, accountId: string): Promise<IdentifierRecord[]> {
  return identifiersByAccount(db, { accountId })
}

const identifiersByAccount = prepared((db, { accountId }: { readonly accountId: string }) =>
  db.selectFrom('identifiers').select(identifierColumns).where('account_id', '=', accountId).orderBy('kind'),
)

/** A page of all accounts, in the order of their ids, each with its identifiers. */
export async function listAccounts(
  db: Db,
  { after, limit }: { after: string; limit: number },
): Promise<{ account: AccountRecord; identifiers: IdentifierRecord[] }[]> {
  const accounts = await db
    .selectFrom('accounts')
    .select(columns)
    .where('id', '>', after)
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

export async function insertAccount(
  db: Db,
  account: Omit<AccountRecord, 'epoch' | 'disabledAt'>,
): Promise<void> {
  await db
    .insertInto('accounts')
    .values({
      id: account.id,
      name: account.name,
      password_hash: account.passwordHash,
      roles: account.roles,
      scopes: account.scopes,
      disabled_at: null,
      created_at: account.createdAt,
      updated_at: account.createdAt,
    })
    .execute()
}

/** Throws `StoreError` `duplicate` when another account has it. */
export async function insertIdentifier(
  db: Db,
  identifier: IdentifierRecord & { readonly accountId: string; readonly now: number },
): Promise<void> {
  await db
    .insertInto('identifiers')
    .values({
      kind: identifier.kind,
      value: identifier.value,
      account_id: identifier.accountId,
      display: identifier.display,
      verified_at: identifier.verifiedAt,
      created_at: identifier.now,
    })
    .execute()
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
    .returning('epoch')
    .executeTakeFirst()
  return row?.epoch
}
