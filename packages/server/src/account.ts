import { parseList } from './access-token.ts'
import { audit, record } from './audit.ts'
import { AuthError } from './auth-error.ts'
import { seconds } from './clock.ts'
import type { Context, Origin } from './context.ts'
import { emailIdentifier, type Identifier, typedIdentifier, usernameIdentifier } from './identifier.ts'
import { newId } from './new-id.ts'
import { revoke } from './revocation.ts'
import { openSession, type Tokens, type Transport } from './session.ts'
import {
  type AccountRecord,
  disableAccount as disableAccountRow,
  findAccount,
  findAccountByIdentifier,
  type IdentifierRecord,
  identifiersOf,
  insertAccount,
  insertIdentifier,
  listAccounts as listAccountRows,
} from './store/accounts.ts'
import { inTransaction, type Tx } from './store/open-store.ts'
import { endAccountSessions } from './store/sessions.ts'
import { StoreError } from './store/store-error.ts'

/** An account as its owner and the API see it. Moments are seconds. */
export interface User {
  readonly id: string
  readonly name: string | null
  readonly email: string | null
  readonly email_verified: boolean
  readonly username: string | null
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly created_at: number
}

export interface NewAccount {
  readonly email?: string | undefined
  readonly username?: string | undefined
  readonly password: string
  readonly name?: string | undefined
  readonly roles?: readonly string[]
  readonly scopes?: readonly string[]
}

/** Registers a person and logs them in, in one transaction. Refuses with `identifier_taken` (409). */
export async function register(
  ctx: Context,
  input: NewAccount,
  how: { transport: Transport; from: Origin },
): Promise<{ user: User; tokens: Tokens }> {
  const { account, identifiers, save } = await prepareAccount(ctx, input)
  const tokens = await refusingTaken(() =>
    openSession(ctx, { ...account, epoch: 0 }, { ...how, amr: ['pwd'] }, save),
  )
  ctx.emit({ type: 'account.registered', at: account.createdAt, accountId: account.id })
  return { user: userOf({ ...account, epoch: 0, disabledAt: null }, identifiers), tokens }
}

/** Makes an account without logging in: for the command and for server code. */
export async function createAccount(ctx: Context, input: NewAccount): Promise<User> {
  const { account, identifiers, save } = await prepareAccount(ctx, input)
  await refusingTaken(() => inTransaction(ctx.store, save))
  ctx.emit({ type: 'account.registered', at: account.createdAt, accountId: account.id })
  return userOf({ ...account, epoch: 0, disabledAt: null }, identifiers)
}

/**
 * Compares identifier and password with the member database (M2, step 1) and opens a session.
 * An unknown identifier and a wrong password get the same answer after the same work.
 */
export async function logIn(
  ctx: Context,
  { identifier, password }: { identifier: string; password: string },
  how: { transport: Transport; from: Origin },
): Promise<{ user: User; tokens: Tokens }> {
  const typed = typedIdentifier(identifier)
  const account = await findAccountByIdentifier(ctx.store.db, typed)
  const matches = await ctx.passwords.matches(password, account?.passwordHash)
  if (!account || !matches) {
    await audit(ctx, { type: 'login.failed', at: ctx.clock(), accountId: account?.id ?? null }, how.from)
    throw new AuthError('invalid_credentials')
  }
  if (account.disabledAt !== null) throw new AuthError('account_disabled')
  const tokens = await openSession(ctx, account, { ...how, amr: ['pwd'] })
  return { user: userOf(account, await identifiersOf(ctx.store.db, account.id)), tokens }
}

/** The user that a payload names (M2, step 5), or undefined. */
export async function findUser(ctx: Context, accountId: string): Promise<User | undefined> {
  const account = await findAccount(ctx.store.db, accountId)
  return account && userOf(account, await identifiersOf(ctx.store.db, accountId))
}

/** A page of users, in a stable order; `after` is the last id of the page before. */
export async function listUsers(
  ctx: Context,
  { after = '', limit = 100 }: { after?: string; limit?: number } = {},
): Promise<(User & { readonly disabled: boolean })[]> {
  const page = await listAccountRows(ctx.store.db, { after, limit })
  return page.map(({ account, identifiers }) => ({
    ...userOf(account, identifiers),
    disabled: account.disabledAt !== null,
  }))
}

/** The account that somebody means by its id, e-mail address or username; an id first, because anyone may take one for a username. */
export async function findUserNamed(ctx: Context, named: string): Promise<User | undefined> {
  const account =
    (await findAccount(ctx.store.db, named)) ??
    (await findAccountByIdentifier(ctx.store.db, typedIdentifier(named)))
  return account && userOf(account, await identifiersOf(ctx.store.db, account.id))
}

/** Disables an account, ends its sessions and refuses its tokens, in one transaction. False: it was disabled. */
export async function disableAccount(ctx: Context, accountId: string): Promise<boolean> {
  const now = ctx.clock()
  const reason = 'account_disabled'
  const disabled = { type: 'account.disabled', at: now, accountId } as const
  const done = await inTransaction(ctx.store, async (db) => {
    const epoch = await disableAccountRow(db, { id: accountId, now })
    if (epoch === undefined) return false
    const sids = await endAccountSessions(db, { accountId, reason, now })
    await record(db, disabled)
    await revoke(ctx, db, [{ accountId, epoch }, ...sids.map((sid) => ({ sid }))])
    return true
  })
  if (done) ctx.emit(disabled)
  return done
}

async function prepareAccount(
  ctx: Context,
  input: NewAccount,
): Promise<{
  account: Omit<AccountRecord, 'epoch' | 'disabledAt'>
  identifiers: IdentifierRecord[]
  save: (db: Tx) => Promise<void>
}> {
  const identifiers = readIdentifiers(ctx, input).map((identifier) => ({ ...identifier, verifiedAt: null }))
  const taken = await Promise.all(
    identifiers.map((identifier) => findAccountByIdentifier(ctx.store.db, identifier)),
  )
  if (taken.some((account) => account !== undefined)) throw new AuthError('identifier_taken')
  const passwordHash = await ctx.passwords.hashNew(input.password)

  const now = ctx.clock()
  const account = {
    id: newId(now),
    name: input.name?.normalize('NFC').trim() || null,
    passwordHash,
    roles: JSON.stringify(input.roles ?? []),
    scopes: JSON.stringify(input.scopes ?? []),
    createdAt: now,
  }
  const save = async (db: Tx) => {
    await insertAccount(db, account)
    for (const identifier of identifiers)
      await insertIdentifier(db, { ...identifier, accountId: account.id, now })
    await record(db, { type: 'account.registered', at: now, accountId: account.id })
  }
  return { account, identifiers, save }
}

function readIdentifiers(ctx: Context, { email, username }: NewAccount): Identifier[] {
  const allowed = ctx.settings.identifiers
  if (email !== undefined && !allowed.includes('email'))
    throw new AuthError('invalid_identifier', 'This server takes usernames only.')
  if (username !== undefined && !allowed.includes('username'))
    throw new AuthError('invalid_identifier', 'This server takes e-mail addresses only.')
  const identifiers = [
    ...(email === undefined ? [] : [emailIdentifier(email)]),
    ...(username === undefined ? [] : [usernameIdentifier(username)]),
  ]
  if (identifiers.length === 0) throw new AuthError('invalid_request', `Send ${allowed.join(' or ')}.`)
  return identifiers
}

/** The unique index decides; of 50 registrations at once, one gets the identifier. */
async function refusingTaken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof StoreError && thrown.code === 'duplicate') throw new AuthError('identifier_taken')
    throw thrown
  }
}

function userOf(
  account: AccountRecord | Omit<AccountRecord, 'passwordHash'>,
  identifiers: readonly IdentifierRecord[],
): User {
  const email = identifiers.find((identifier) => identifier.kind === 'email')
  const username = identifiers.find((identifier) => identifier.kind === 'username')
  return {
    id: account.id,
    name: account.name,
    email: email?.display ?? null,
    email_verified: email !== undefined && email.verifiedAt !== null,
    username: username?.display ?? null,
    roles: parseList(account.roles),
    scopes: parseList(account.scopes),
    created_at: seconds(account.createdAt),
  }
}
