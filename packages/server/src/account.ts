import { parseList } from './access-token.ts'
import type { Admin, Source } from './actor.ts'
import { record, recordAll } from './audit.ts'
import { AuthError } from './auth-error.ts'
import { loginBrakes, registrationBrakes, sessionBrakes, spend, type Try, withTry } from './brakes.ts'
import { seconds } from './clock.ts'
import type { Context, Origin } from './context.ts'
import { postVerification } from './email-verification.ts'
import { findAccountTyped, findTyped, renewKeys } from './find-account.ts'
import { readGrants } from './grants.ts'
import {
  emailIdentifier,
  type Identifier,
  nameTyped,
  typedIdentifiers,
  usernameIdentifier,
} from './identifier.ts'
import { knownDevice, makeDeviceToken } from './known-device.ts'
import type { Language } from './language.ts'
import { newId } from './new-id.ts'
import { wordsOfAccount } from './password-words.ts'
import type { Place } from './passwords.ts'
import { type Profile, parseProfile } from './profile.ts'
import { refusingTaken } from './refusing-taken.ts'
import { revoke } from './revocation.ts'
import { type Opening, openSession, type Tokens } from './session.ts'
import { endings } from './session-endings.ts'
import {
  type AccountRecord,
  disableAccount as disableAccountRow,
  enableAccount as enableAccountRow,
  findAccount,
  type IdentifierRecord,
  identifiersOf,
  insertAccount,
  insertIdentifier,
  listAccounts as listAccountRows,
  type NewAccountRecord,
  replacePasswordHash,
} from './store/accounts.ts'
import { inTransaction, type Tx } from './store/open-store.ts'
import { endAccountSessions } from './store/sessions.ts'
import { tellFailure, watchForSpraying } from './tell-failure.ts'

/** An account as its owner and the API see it. Moments are seconds. */
export interface User extends Profile {
  readonly id: string
  readonly name: string | null
  readonly email: string | null
  readonly email_verified: boolean
  readonly username: string | null
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly created_at: number
}

/** An account as those see it who look after it. */
export interface AccountOverview extends User {
  readonly disabled: boolean
  /** When a session was opened last. */
  readonly last_login_at: number | null
}

export interface NewAccount {
  readonly email?: string | undefined
  readonly username?: string | undefined
  readonly password: string
  readonly name?: string | null | undefined
  readonly roles?: readonly string[]
  readonly scopes?: readonly string[]
}

type LoginManner = Pick<Opening, 'transport' | 'from' | 'remember' | 'jkt' | 'replaces'>

/** What somebody who has shown a password gets. */
export interface Login {
  readonly user: User
  readonly tokens: Tokens
  /** Gives the device tries of its own at its next login; see `known-device.ts`. */
  readonly deviceToken: string
}

/**
 * Registers a person and logs them in, in one transaction; where there is a mailer, the address is asked to be
 * proved. Refuses with `identifier_taken` (409), `too_many_tries` (429).
 */
export async function register(
  ctx: Context,
  input: NewAccount,
  { language, ...how }: LoginManner & { language: Language },
): Promise<Login> {
  const isMailed = input.email !== undefined && ctx.settings.mailer !== undefined
  const mailbox = isMailed ? emailIdentifier(input.email) : undefined
  await spend(ctx, registrationBrakes(how.from, mailbox))
  const registered = await openAccount(ctx, input, how, {
    alongside: async (db, accountId) => {
      if (input.email === undefined) return
      const { display: email } = emailIdentifier(input.email)
      await postVerification(ctx, db, { accountId, email, language })
    },
  })
  ctx.wakePostman()
  return registered
}

/** Makes an account and logs its owner in, in one transaction, which `alongside` is part of. */
export async function openAccount(
  ctx: Context,
  input: NewAccount,
  how: LoginManner,
  {
    verifiedAt = null,
    alongside,
  }: { verifiedAt?: number | null; alongside: (db: Tx, accountId: string) => Promise<void> },
): Promise<Login> {
  const { account, identifiers, save } = await prepareAccount(ctx, input, verifiedAt)
  const tokens = await refusingTaken(() =>
    openSession(ctx, account, { ...how, amr: ['pwd'] }, async (db) => {
      await save(db, how.from)
      await alongside(db, account.id)
    }),
  )
  ctx.emit({ type: 'account.registered', at: account.createdAt, accountId: account.id })
  const deviceToken = makeDeviceToken(ctx, account)
  return { user: userOf(account, identifiers), tokens, deviceToken }
}

/** Makes an account without logging in: for the command and for server code. */
export async function createAccount(ctx: Context, input: NewAccount, admin: Admin): Promise<User> {
  const { account, identifiers, save } = await prepareAccount(ctx, input)
  await refusingTaken(() => inTransaction(ctx.store, (db) => save(db, admin)))
  ctx.emit({ type: 'account.registered', at: account.createdAt, accountId: account.id })
  return userOf(account, identifiers)
}

/**
 * Compares identifier and password with the member database (M2, step 1) and opens a session.
 * An unknown identifier and a wrong password get the same answer after the same work. Each login is a try, counted before
 * its password is compared; one that succeeds is given back in the transaction that opens the session, which is counted at a limit
 * of its own.
 *
 * Refuses with `busy` (503) before anything is asked of the database, `invalid_credentials` (401), `account_disabled`
 * (403), `too_many_tries` (429).
 */
export function logIn(ctx: Context, credentials: Credentials, how: LoginDetails): Promise<Login> {
  return ctx.passwords.enter((place) => logInFrom(ctx, place, credentials, how))
}

interface Credentials {
  readonly identifier: string
  readonly password: string
}

type LoginDetails = LoginManner & { readonly deviceToken?: string | undefined }

async function logInFrom(
  ctx: Context,
  place: Place,
  credentials: Credentials,
  { deviceToken, ...how }: LoginDetails,
): Promise<Login> {
  const device = await knownDevice(ctx, deviceToken, typedIdentifiers(credentials.identifier))
  const named = nameTyped(credentials.identifier)
  const brakes = loginBrakes(named, { from: how.from, device })
  const login = await withTry(ctx, brakes, async (reserved) => {
    const found = await findTyped(ctx.store.db, credentials.identifier)
    const { matches, replacement } = await place.check(credentials.password, found?.account.passwordHash)
    if (!matches || !found) {
      reserved.close()
      return refuseCredentials(ctx, named, { accountId: found?.account.id ?? null, from: how.from })
    }
    ctx.spraying.succeeded(named)
    return openFor(ctx, found, { ...how, isKnown: device !== undefined, replacement, reserved })
  })
  // Whoever was first has changed the hash: what is there now is compared with.
  return login ?? logInFrom(ctx, place, credentials, { deviceToken, ...how })
}

async function refuseCredentials(
  ctx: Context,
  named: ReturnType<typeof nameTyped>,
  { accountId, from }: { accountId: string | null; from: Origin },
): Promise<never> {
  await tellFailure(ctx, { type: 'login.failed', at: ctx.clock(), accountId }, from)
  await watchForSpraying(ctx, named, from)
  throw new AuthError('invalid_credentials')
}

/** Logs in whose password was right. Undefined: its hash is another one by now. */
async function openFor(
  ctx: Context,
  { account, identifiers }: { account: AccountRecord; identifiers: readonly IdentifierRecord[] },
  {
    replacement,
    isKnown,
    ...how
  }: LoginManner & { replacement: string | undefined; isKnown: boolean; reserved: Try },
): Promise<Login | undefined> {
  const { id, passwordHash, disabledAt } = account
  if (disabledAt !== null) return refuseDisabled(ctx, id, how.from)
  if (replacement !== undefined) {
    const change = { id, from: passwordHash ?? '', to: replacement, now: ctx.clock() }
    if (!(await replacePasswordHash(ctx.store.db, change))) return undefined
  }
  await spendSession(ctx, id, { from: how.from, isKnown })
  const ifPasswordHash = replacement ?? passwordHash ?? ''
  const tokens = await openSession(ctx, account, { ...how, amr: ['pwd'], ifPasswordHash })
  await renewKeys(ctx.store.db, identifiers)
  const deviceToken = makeDeviceToken(ctx, { id, passwordHash: ifPasswordHash })
  return { user: userOf(account, identifiers), tokens, deviceToken }
}

/** A password that was right is written down where it opens nothing, as a wrong one is: to guess silently must not be possible. */
async function spendSession(
  ctx: Context,
  accountId: string,
  { from, isKnown }: { from: Origin; isKnown: boolean },
): Promise<void> {
  try {
    await spend(ctx, sessionBrakes(accountId, isKnown ? undefined : from))
  } catch (thrown) {
    const detail = { reason: 'too_many_tries' }
    if (thrown instanceof AuthError)
      await tellFailure(ctx, { type: 'login.failed', at: ctx.clock(), accountId, detail }, from)
    throw thrown
  }
}

async function refuseDisabled(ctx: Context, accountId: string, from: Origin): Promise<never> {
  const detail = { reason: 'account_disabled' }
  await tellFailure(ctx, { type: 'login.failed', at: ctx.clock(), accountId, detail }, from)
  throw new AuthError('account_disabled')
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
): Promise<AccountOverview[]> {
  const page = await listAccountRows(ctx.store.db, { after, limit })
  return page.map(({ account, identifiers }) => overviewOf(account, identifiers))
}

/**
 * The account that somebody means by its id, e-mail address or username. An id goes first: nobody can
 * choose one, but anybody can take another account's id for a username.
 */
export async function findUserNamed(ctx: Context, named: string): Promise<AccountOverview | undefined> {
  const account = await findAccount(ctx.store.db, named)
  if (account) return overviewOf(account, await identifiersOf(ctx.store.db, account.id))
  const found = await findTyped(ctx.store.db, named)
  return found && overviewOf(found.account, found.identifiers)
}

/** Disables an account, ends its sessions and refuses its tokens, in one transaction. False: it was disabled. */
export async function disableAccount(ctx: Context, accountId: string, admin: Admin): Promise<boolean> {
  const now = ctx.clock()
  const reason = 'account_disabled'
  const disabled = { type: 'account.disabled', at: now, accountId } as const
  const told = await inTransaction(ctx.store, async (db) => {
    const epoch = await disableAccountRow(db, { id: accountId, now })
    if (epoch === undefined) return undefined
    const sids = await endAccountSessions(db, { accountId, reason, now })
    const events = [disabled, ...endings(sids, { at: now, accountId, reason })]
    await recordAll(db, events, admin)
    await revoke(ctx, db, [{ accountId, epoch }, ...sids.map((sid) => ({ sid }))])
    return events
  })
  for (const event of told ?? []) ctx.emit(event)
  return told !== undefined
}

/** Lets a disabled account log in again. Sessions that ended stay ended. False: it was not disabled. */
export async function enableAccount(ctx: Context, accountId: string, admin: Admin): Promise<boolean> {
  const now = ctx.clock()
  const enabled = { type: 'account.enabled', at: now, accountId } as const
  const done = await inTransaction(ctx.store, async (db) => {
    if (!(await enableAccountRow(db, { id: accountId, now }))) return false
    await record(db, enabled, admin)
    return true
  })
  if (done) ctx.emit(enabled)
  return done
}

async function prepareAccount(
  ctx: Context,
  input: NewAccount,
  emailVerifiedAt: number | null = null,
): Promise<{
  account: NewAccountRecord & { readonly epoch: number }
  identifiers: IdentifierRecord[]
  save: (db: Tx, source: Source) => Promise<void>
}> {
  const grants = readGrants(input)
  const identifiers = readIdentifiers(ctx, input).map((identifier) => ({
    ...identifier,
    verifiedAt: identifier.kind === 'email' ? emailVerifiedAt : null,
  }))
  const taken = await Promise.all(identifiers.map(({ display }) => findAccountTyped(ctx.store.db, display)))
  if (taken.some((account) => account !== undefined)) throw new AuthError('identifier_taken')
  const passwordHash = await ctx.passwords.hashNew(input.password, wordsOfAccount(identifiers))

  const now = ctx.clock()
  const account = {
    id: newId(now),
    name: input.name?.normalize('NFC').trim() || null,
    passwordHash,
    epoch: 0,
    roles: JSON.stringify(grants.roles),
    scopes: JSON.stringify(grants.scopes),
    profile: null,
    disabledAt: null,
    createdAt: now,
  }
  const save = async (db: Tx, source: Source) => {
    await insertAccount(db, account)
    for (const identifier of identifiers)
      await insertIdentifier(db, { ...identifier, accountId: account.id, now })
    await record(db, { type: 'account.registered', at: now, accountId: account.id }, source)
  }
  return { account, identifiers, save }
}

/** What an account is to be found by; refuses kinds that this server does not take, and none at all. */
export function readIdentifiers(
  ctx: Context,
  { email, username }: Pick<NewAccount, 'email' | 'username'>,
): Identifier[] {
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

function overviewOf(account: AccountRecord, identifiers: readonly IdentifierRecord[]): AccountOverview {
  const { disabledAt, lastLoginAt } = account
  return {
    ...userOf(account, identifiers),
    disabled: disabledAt !== null,
    last_login_at: lastLoginAt === null ? null : seconds(lastLoginAt),
  }
}

/** The user that a row of `accounts` and its identifiers stand for. */
export function userOf(
  account: Omit<NewAccountRecord, 'passwordHash' | 'disabledAt'>,
  identifiers: readonly IdentifierRecord[],
): User {
  const email = identifiers.find((identifier) => identifier.kind === 'email')
  const username = identifiers.find((identifier) => identifier.kind === 'username')
  return {
    ...parseProfile(account.profile),
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
