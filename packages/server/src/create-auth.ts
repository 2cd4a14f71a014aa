import type { Renew } from '@mapae/guard'
import { cookieNames } from '@mapae/guard/http'
import type { RemoteJwkSet } from '@mapae/jwt'
import { createAccessTokens } from './access-token.ts'
import {
  type AccountOverview,
  createAccount,
  disableAccount,
  enableAccount,
  findUserNamed,
  listUsers,
  type NewAccount,
  type User,
} from './account.ts'
import type { Admin } from './actor.ts'
import type { App } from './app.ts'
import { type AuditLine, type AuditPage, auditPage } from './audit-line.ts'
import { AuthError } from './auth-error.ts'
import { type GrantChange, grant, withdraw } from './change-grants.ts'
import { createClockCheck } from './clock-check.ts'
import type { Context } from './context.ts'
import { proveUser } from './current-session.ts'
import { deleteAccount } from './delete-account.ts'
import { createEmitOnce } from './emit-once.ts'
import { endEverySession } from './end-every-session.ts'
import type { AuthEvent } from './events.ts'
import { createFailureLog } from './failure-log.ts'
import type { Grants } from './grants.ts'
import { createGuardNotes, type GuardSeen, listGuards } from './guards-seen.ts'
import { accessCredential, requireTrustedPageForChange } from './http/credentials.ts'
import { type ConnectionInfo, visitOf } from './http/visit.ts'
import { type ImportOutcome, importUsers } from './import-users.ts'
import { createInlineRenewal } from './inline-renewal.ts'
import { postponeKey, rotateInTime } from './key-rotation.ts'
import { createKnownTokens } from './known-tokens.ts'
import { createLocate } from './locate.ts'
import { type AuthOptions, parseOptions } from './options.ts'
import { sendPasswordReset } from './password-reset.ts'
import { wordsOfSite } from './password-words.ts'
import { createPasswords } from './passwords.ts'
import { createPostman } from './postman.ts'
import { createProofs } from './proofs.ts'
import { createRevocationFeed } from './revocation-feed.ts'
import { createHandler } from './routes.ts'
import { deriveSecrets } from './server-secret.ts'
import { endSession, endSessionsOf, sessionById } from './session.ts'
import { exactHistory, type SessionHistory } from './session-history.ts'
import { type SessionOverview, sessionsOf } from './session-overview.ts'
import { createSigningKeys, type SigningKeyStatus } from './signing-keys.ts'
import { createSprayingWatch } from './spraying.ts'
import { migrate, pendingMigrations } from './store/migrate.ts'
import { openStore, type Store } from './store/open-store.ts'
import { LONGEST_ACCESS_LIFETIME, raiseSetting, readSetting } from './store/settings.ts'
import { StoreError } from './store/store-error.ts'
import { createSweeper, type Sweeper } from './sweeper.ts'
import { unlockAccountFor } from './unlock-account.ts'
import { type Withdrawal, withdrawKey } from './withdraw-key.ts'

/** A running auth server, without a listener: mount `fetch` anywhere. */
export interface Auth {
  /** Answers one request. Never rejects: what goes wrong is a problem document. */
  fetch(request: Request, connection?: ConnectionInfo): Promise<Response>
  /** Resolves when the database is open and up to date; rejects with `StoreError` when it is not. */
  ready(): Promise<void>
  /** For a guard in the same process: mints an access token while an API request is under way (M3, step 14). */
  readonly renew: Renew
  /** For a guard in the same process: the keys that prove a token, without an HTTP request. */
  readonly keys: RemoteJwkSet
  /** For server code. */
  readonly api: AuthApi
  /** Ends what stays open by itself, the revocation feeds: guards go on with another replica. Before a listener waits for its requests. */
  endFeeds(): void
  /** Waits for what is under way in the database and lets go of it; requests from then on get 503. */
  close(): Promise<void>
}

export interface AuthApi {
  /**
   * The same, in somebody's name: the audit log says `by` whom it was done. An id, or a name such as `command`, of 1 to 128
   * visible ASCII characters, and no e-mail address. @default 'api'
   */
  as(by: string): AuthApi
  /**
   * Who is asking, by the request's access token (header or cookie), checked against the database; null
   * when nobody is. A token that is bound to a key needs its DPoP proof, made for this server's `url`. Throws `StoreError` when the database cannot tell.
   */
  getSession(request: Request): Promise<{ readonly user: User; readonly sessionId: string } | null>
  createUser(account: NewAccount): Promise<User>
  listUsers(page?: { readonly after?: string; readonly limit?: number }): Promise<AccountOverview[]>
  /** By id, e-mail address or username. */
  findUser(named: string): Promise<AccountOverview | undefined>
  /**
   * An account's sessions that can still be used, newest first; with `ended` the 20 that ended last, the last one first.
   * Moments are seconds.
   */
  listSessions(id: string, which?: { readonly ended?: boolean }): Promise<readonly SessionOverview[]>
  /** A session by its id, and what the audit log says of it; undefined when it is not there, or not any more. */
  findSession(sessionId: string): Promise<SessionHistory | undefined>
  /** Ends a session, with the reason `ended_by_admin`. False: it had ended before, or is not there. */
  endSession(sessionId: string): Promise<boolean>
  /** Ends every session of an account, with the same reason; it may log in again. Returns how many there were. */
  endSessions(id: string): Promise<number>
  /** The same for all accounts, one after the other. A session that begins meanwhile may go on. */
  endAllSessions(): Promise<number>
  /** A page of the audit log, in its order; the next one is `after` the last `seq`. An empty one is the end. */
  readAudit(page?: AuditPage): Promise<readonly AuditLine[]>
  /** Ends the account's sessions and refuses its tokens. False: it was disabled already, or is not there. */
  disableUser(id: string): Promise<boolean>
  /** Lets a disabled account log in again. False: it was not disabled, or is not there. */
  enableUser(id: string): Promise<boolean>
  /** Forgets what was tried on an account, so that whoever is told to wait need not. False: nothing was. */
  unlockUser(id: string): Promise<boolean>
  /**
   * Has a mail to reset the password with sent to the account's address; the old password holds until its code is used. False: the
   * account is not there, is disabled or has no address. Refuses with `mail_not_configured` where there is no mailer.
   */
  sendPasswordReset(id: string): Promise<boolean>
  /**
   * Removes what tells of the person, at once; sessions end, tokens are refused, the identifiers are free.
   * False: it is not there.
   */
  deleteUser(id: string): Promise<boolean>
  /**
   * Adds roles and scopes: from the next renewal on they are in the access tokens. Returns what the account then
   * has, undefined when it is not there. Refuses with `invalid_role`, `invalid_scope`, `too_many_grants`.
   */
  grant(change: GrantChange): Promise<Grants | undefined>
  /** Takes roles and scopes away: older access tokens are refused, and nobody is logged out. Returns what is left. */
  withdraw(change: GrantChange): Promise<Grants | undefined>
  /**
   * Takes over users of another system, with their password hashes; see `ImportedUser`. Each has an outcome of
   * its own, in the order given. What is there already is not changed, so a batch may be sent again.
   */
  importUsers(batch: readonly unknown[]): Promise<readonly ImportOutcome[]>
  /** One round of what the server does by itself every `sweepInterval`. Returns the rows dealt with, by kind. */
  sweep(): Promise<Readonly<Record<string, number>>>
  listKeys(): Promise<readonly SigningKeyStatus[]>
  /**
   * Sends the mails that are due and resolves to how many were sent. The server does so by itself; this is for
   * platforms that freeze a process between requests.
   */
  sendMails(): Promise<number>
  /** A new signing key, published before it signs; `signsNow` skips that. */
  rotateKeys(options?: { readonly signsNow?: boolean }): Promise<SigningKeyStatus>
  /** Has a key that does not sign yet sign ten minutes from now, and returns it; undefined when it signs, or is not there. */
  postponeKey(kid: string): Promise<SigningKeyStatus | undefined>
  /** Stops a signing key, for good and on every guard; where it signs, another one does from now on, and nobody is logged out. */
  withdrawKey(kid: string): Promise<Withdrawal>
  /** The guards that follow the revocation feed and were heard of within ten minutes. */
  listGuards(): Promise<readonly GuardSeen[]>
  /** Creates or updates the tables and names the steps taken. */
  migrate(): Promise<readonly string[]>
  pendingMigrations(): Promise<readonly string[]>
}

/**
 * Makes an auth server. Returns at once; the database is opened by the first request, or by `ready()`.
 *
 * Throws `AuthError` `options_invalid`, with one clear sentence, for options that cannot be.
 */
export function createAuth(options: AuthOptions): Auth {
  const { app, sweeper, close } = createApp(options)
  const { ctx } = app
  return {
    fetch: createHandler(app),
    ready: ctx.ready,
    renew: createInlineRenewal(app),
    keys: {
      find: (header) => ctx.signingKeys.proving.find(header),
      async refresh(header) {
        await ctx.ready()
        await ctx.signingKeys.load(header?.kid)
      },
    },
    api: createApi(app, sweeper, { by: 'api' }),
    endFeeds: () => app.feed.end(),
    close,
  }
}

function createApp(options: AuthOptions): { app: App; sweeper: Sweeper; close: () => Promise<void> } {
  const settings = parseOptions(options)
  const { clock } = settings
  const store = openStoreAt(settings)
  const secrets = deriveSecrets(settings.secrets)
  let longest = settings.accessTokenLifetime * 1000
  const longestAccessLifetime = () => longest

  const opened = once(async () => {
    if (settings.autoMigrate) await migrate(store)
    longest = await raiseSetting(store.db, LONGEST_ACCESS_LIFETIME, longest)
    sweeper.start()
    postman.start()
  })
  let closed = false
  const ready = () => (closed ? Promise.reject(new StoreError('unavailable', 'closed')) : opened())
  const close = async () => {
    closed = true
    await feed.stop()
    await sweeper.stop()
    await postman.stop()
    await store.close()
  }
  const emit = emitter(settings.onEvent ?? printErrors)
  const emitOnce = createEmitOnce(emit)
  const rotateKeys = async () => {
    longest = Math.max(longest, await readSetting(store.db, LONGEST_ACCESS_LIFETIME))
    await rotateInTime(ctx)
  }
  const clockCheck = createClockCheck({ settings, clock, store })
  const sweeper = createSweeper({ store, settings, clock, clockCheck, emit, rotateKeys })
  const ctx: Context = {
    settings,
    clock,
    clockCheck,
    store,
    secrets,
    signingKeys: createSigningKeys({
      store,
      secrets,
      clock,
      algorithm: settings.signingAlgorithm,
      longestAccessLifetime,
      emit,
    }),
    knownTokens: createKnownTokens(),
    passwords: createPasswords({
      ...settings.passwordHashing,
      siteWords: wordsOfSite({ url: settings.url, others: settings.passwordWords }),
    }),
    proofs: createProofs({ store, secrets, clock }),
    cookieNames: cookieNamesOf(settings),
    failures: createFailureLog(),
    spraying: createSprayingWatch(clock),
    emit,
    emitOnce,
    locate: createLocate({
      locate: settings.locate,
      clock,
      report: (error) => emitOnce('locate', { type: 'error', at: clock(), error }),
    }),
    wakePostman: () => postman.wake(),
    longestAccessLifetime,
    ready,
  }
  const postman = createPostman(ctx)
  const feed = createRevocationFeed(ctx)
  const app = {
    ctx,
    accessTokens: createAccessTokens(ctx),
    postman,
    feed,
    guardNotes: createGuardNotes(ctx),
  }
  return { app, sweeper, close }
}

function createApi(app: App, sweeper: Sweeper, admin: Admin): AuthApi {
  const { ctx } = app
  return {
    as: (by) => createApi(app, sweeper, namedAdmin(by)),
    async getSession(request) {
      await ctx.ready()
      try {
        const visit = visitOf(ctx, request, {}, {})
        const credential = accessCredential(ctx, visit)
        requireTrustedPageForChange(ctx, { arrival: visit, method: request.method }, credential)
        return await proveUser(app, visit, credential)
      } catch (thrown) {
        if (thrown instanceof AuthError) return null
        throw thrown
      }
    },
    createUser: (account) => ctx.ready().then(() => createAccount(ctx, account, admin)),
    listUsers: (page) => ctx.ready().then(() => listUsers(ctx, page)),
    findUser: (named) => ctx.ready().then(() => findUserNamed(ctx, named)),
    disableUser: (id) => ctx.ready().then(() => disableAccount(ctx, id, admin)),
    listSessions: (id, which) => ctx.ready().then(() => sessionsOf(ctx, id, which)),
    async findSession(sessionId) {
      await ctx.ready()
      const session = await sessionById(ctx, sessionId)
      return session && exactHistory(ctx, session)
    },
    async endSession(sessionId) {
      await ctx.ready()
      const session = await sessionById(ctx, sessionId)
      return session ? endSession(ctx, session, { reason: 'ended_by_admin', source: admin }) : false
    },
    endSessions: (id) => ctx.ready().then(() => endSessionsOf(ctx, id, admin)),
    endAllSessions: () => ctx.ready().then(() => endEverySession(ctx, admin)),
    readAudit: (page) => ctx.ready().then(() => auditPage(ctx, page)),
    enableUser: (id) => ctx.ready().then(() => enableAccount(ctx, id, admin)),
    unlockUser: (id) => ctx.ready().then(() => unlockAccountFor(ctx, id, admin)),
    sendPasswordReset: (id) => ctx.ready().then(() => sendPasswordReset(ctx, id, admin)),
    deleteUser: (id) => ctx.ready().then(() => deleteAccount(ctx, { accountId: id, source: admin })),
    grant: (change) => ctx.ready().then(() => grant(ctx, change, admin)),
    withdraw: (change) => ctx.ready().then(() => withdraw(ctx, change, admin)),
    importUsers: (batch) => ctx.ready().then(() => importUsers(ctx, batch, admin)),
    sweep: () => ctx.ready().then(() => sweeper.round()),
    listKeys: () => ctx.ready().then(() => ctx.signingKeys.list()),
    rotateKeys: (how = {}) => ctx.ready().then(() => ctx.signingKeys.rotate(how, admin)),
    postponeKey: (kid) => ctx.ready().then(() => postponeKey(ctx, kid)),
    withdrawKey: (kid) => ctx.ready().then(() => withdrawKey(ctx, kid, admin)),
    listGuards: () => ctx.ready().then(() => listGuards(ctx)),
    sendMails: () => ctx.ready().then(() => app.postman.sendDue()),
    migrate: () => migrate(ctx.store),
    pendingMigrations: () => pendingMigrations(ctx.store),
  }
}

function openStoreAt(settings: ReturnType<typeof parseOptions>): Store {
  try {
    return openStore(settings.address, settings.databaseSchema)
  } catch (cause) {
    throw new AuthError('options_invalid', 'The option database: its folder cannot be made.', { cause })
  }
}

function cookieNamesOf(settings: ReturnType<typeof parseOptions>): Context['cookieNames'] {
  if (settings.dangerousCookieDomain)
    return { access: '__Secure-mapae_access', refresh: '__Secure-mapae_refresh' }
  if (settings.dangerouslyAllowHttp && settings.url.startsWith('http:'))
    return { access: 'mapae_access', refresh: 'mapae_refresh' }
  return cookieNames({ url: settings.url })
}

/** Works once and keeps the result; a failure is forgotten, so that the next caller tries again. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work().catch((thrown: unknown) => {
      done = undefined
      throw thrown
    })
    return done
  }
}

function namedAdmin(by: string): Admin {
  if (!/^(?!.*[^@]@[^@])[\x21-\x7e]{1,128}$/.test(by))
    throw new AuthError(
      'options_invalid',
      'Who acts must be named with 1 to 128 visible ASCII characters, and by no e-mail address.',
    )
  return { by }
}

/** A listener that throws, or rejects, must not change an answer. */
function emitter(listener: NonNullable<AuthOptions['onEvent']>): Context['emit'] {
  return (event) => {
    const failed = (error: unknown) => {
      if (event.type !== 'error') printErrors({ type: 'error', at: event.at, error })
    }
    try {
      Promise.resolve(listener(event)).catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}

function printErrors(event: AuthEvent): void {
  if (event.type === 'mail.failed' || event.type === 'mail.dropped')
    console.error(`mapae: ${event.type}: attempt ${event.detail.attempt}, ${event.detail.reason}`)
  if (event.type !== 'error') return
  const { error } = event
  const shown = error instanceof StoreError ? error.cause : error
  console.error('mapae:', shown instanceof Error ? (shown.stack ?? shown.message) : 'unknown error')
}
