import type { Actor } from './actor.ts'
import type { EndReason } from './end-reasons.ts'

export interface EventFacts {
  /** What it is about, and so which ids it carries; `anybody`: an account, or null where none was found. */
  readonly about: 'session' | 'account' | 'anybody' | 'server'
  /** Who does it, where it was not done in an administrator's name. */
  readonly actor: Actor
  /** `timeline`: in the audit log, and shown to the person beside the session. `told`: to `onEvent` alone. */
  readonly kept: 'audit' | 'timeline' | 'told'
  readonly means: string
  /** The members of `detail`, as they are documented. */
  readonly detail?: Readonly<Record<string, string>>
}

/** Everything that happens and is told of: the catalogue in docs/events.md is made of it. Types are stable. */
export const eventTypes = {
  'account.registered': { about: 'account', actor: 'self', kept: 'audit', means: 'An account was made.' },
  'account.imported': {
    about: 'account',
    actor: 'admin',
    kept: 'audit',
    means: 'An account was brought along from another system.',
  },
  'account.disabled': {
    about: 'account',
    actor: 'admin',
    kept: 'audit',
    means: 'An account was disabled: its sessions end, its tokens and logins are refused.',
  },
  'account.enabled': {
    about: 'account',
    actor: 'admin',
    kept: 'audit',
    means: 'A disabled account may log in again.',
  },
  'account.unlocked': {
    about: 'account',
    actor: 'admin',
    kept: 'audit',
    means: 'The failed tries that held up the logins of an account were forgotten.',
  },
  'account.deleted': {
    about: 'account',
    actor: 'self',
    kept: 'audit',
    means: 'An account was deleted, with all that told of the person.',
  },
  'account.granted': {
    about: 'account',
    actor: 'admin',
    kept: 'audit',
    means: 'An account was given roles or scopes.',
    detail: { roles: 'the roles', scopes: 'the scopes' },
  },
  'account.grants_withdrawn': {
    about: 'account',
    actor: 'admin',
    kept: 'audit',
    means: 'Roles or scopes were taken from an account; older access tokens are refused.',
    detail: { roles: 'the roles', scopes: 'the scopes' },
  },
  'account.profile_changed': {
    about: 'account',
    actor: 'self',
    kept: 'audit',
    means: 'The person changed what they tell of themselves.',
    detail: { fields: 'the names of the members, without values' },
  },
  'email.verified': {
    about: 'account',
    actor: 'self',
    kept: 'audit',
    means: 'The e-mail address was proved by a mailed code.',
  },
  'email.change_asked': {
    about: 'account',
    actor: 'self',
    kept: 'audit',
    means: 'Another e-mail address was asked for; nothing changes before its code is used.',
  },
  'email.changed': {
    about: 'account',
    actor: 'self',
    kept: 'audit',
    means: 'The account has another e-mail address.',
  },
  'password.changed': {
    about: 'account',
    actor: 'self',
    kept: 'audit',
    means: 'The password was changed by somebody who knew the old one; every session ends.',
  },
  'password.reset_asked': {
    about: 'account',
    actor: 'someone',
    kept: 'audit',
    means: 'Somebody asked for a mail to reset the password with, and it was written.',
  },
  'password.reset': {
    about: 'account',
    actor: 'someone',
    kept: 'audit',
    means: 'The password was reset by a mailed code; every session ends.',
  },
  'reauthentication.failed': {
    about: 'account',
    actor: 'someone',
    kept: 'audit',
    means: 'What needs the password again was tried with a wrong one, by somebody with a session.',
    detail: { unwritten: 'how many before it in that minute were not written down, where there were' },
  },
  'login.failed': {
    about: 'anybody',
    actor: 'someone',
    kept: 'audit',
    means: 'A login was refused. The account is null where the identifier belongs to none.',
    detail: {
      reason: '`account_disabled` or `too_many_tries` where the password was right; else it is left out',
      unwritten: 'how many before it in that minute were not written down, where there were',
    },
  },
  'login.spraying_seen': {
    about: 'server',
    actor: 'someone',
    kept: 'audit',
    means: 'Many identifiers failed in a short time: a few passwords are being tried on many accounts.',
    detail: {
      identifiers: 'how many different ones',
      networks: 'from how many',
      seconds: 'within how long',
    },
  },
  'try.refused': {
    about: 'server',
    actor: 'someone',
    kept: 'told',
    means: 'Somebody was told to wait (`too_many_tries`).',
    detail: { brake: 'which of the option `brakes`' },
  },
  'login.succeeded': {
    about: 'session',
    actor: 'self',
    kept: 'timeline',
    means: 'A session was opened, by a login, a registration or a change of the password.',
  },
  'session.moved': {
    about: 'session',
    actor: 'self',
    kept: 'timeline',
    means: 'A session was renewed from a network or a device that it was not used from before.',
  },
  'session.ended': {
    about: 'session',
    actor: 'self',
    kept: 'timeline',
    means: 'A session was ended. One that runs out by itself ends without an event.',
    detail: {
      reason: 'the `end_reason`',
      by_session: 'the session that ended it, where another one of the account did',
    },
  },
  'session.reuse_detected': {
    about: 'session',
    actor: 'someone',
    kept: 'timeline',
    means: 'A refresh token came again that had been replaced: theft. `session.ended` follows.',
    detail: { current: 'the generation of the session', presented: 'that of the token' },
  },
  'session.line_shared': {
    about: 'session',
    actor: 'someone',
    kept: 'timeline',
    means: 'Three generations running were fetched twice: two parties seem to use one session.',
    detail: { generation: 'of the session' },
  },
  'session.fetched_without_attempt': {
    about: 'session',
    actor: 'someone',
    kept: 'timeline',
    means: 'A renewal was repeated without its attempt id: most likely an answer was lost.',
    detail: { generation: 'of the session', run: 'how many generations running that happened' },
  },
  'session.adopted': {
    about: 'session',
    actor: 'self',
    kept: 'timeline',
    means: 'A refresh token came that is newer than the database: a backup was restored.',
    detail: { stored: 'the generation of the row', presented: 'that of the token' },
  },
  'session.access_token_mismatch': {
    about: 'session',
    actor: 'someone',
    kept: 'timeline',
    means: 'A refresh token of the session came without an access token of it, and was refused.',
    detail: { refused: 'the code' },
  },
  'session.access_token_withdrawn': {
    about: 'session',
    actor: 'self',
    kept: 'audit',
    means: 'A renewal brought an access token under a withdrawn key: the refresh token decided alone.',
  },
  'session.stale_inline_renewal': {
    about: 'session',
    actor: 'someone',
    kept: 'timeline',
    means:
      'An old refresh token came late where none is spent: one back from a browser, it was served, else refused. The session goes on.',
    detail: { presented: 'the generation of the token' },
  },
  'session.proof_refused': {
    about: 'session',
    actor: 'someone',
    kept: 'timeline',
    means:
      'Both tokens of a bound session came without a valid proof of its key: somebody has a copy of them.',
    detail: { refused: 'what was wrong with the proof' },
  },
  'signing_key.made': {
    about: 'server',
    actor: 'system',
    kept: 'audit',
    means: 'A signing key was made; by the server itself when there was none.',
    detail: { kid: 'of the key', algorithm: 'of the key', active_from: 'when it signs, in seconds' },
  },
  'signing_key.withdrawn': {
    about: 'server',
    actor: 'admin',
    kept: 'audit',
    means: 'A signing key was withdrawn: what it signed proves nothing any more, anywhere.',
    detail: { kid: 'of the key' },
  },
  'access_token.large': {
    about: 'account',
    actor: 'system',
    kept: 'told',
    means: 'An access token is longer than `accessTokenBudget.warn`. Told once a process.',
    detail: { length: 'its characters', warn: 'the budget', largest: 'the three largest claims' },
  },
  'mail.failed': {
    about: 'server',
    actor: 'system',
    kept: 'told',
    means: 'A mail could not be sent; it is tried again.',
    detail: { attempt: 'how often it was tried', reason: "an error's code" },
  },
  'mail.dropped': {
    about: 'server',
    actor: 'system',
    kept: 'told',
    means: 'A mail was given up.',
    detail: { attempt: 'how often it was tried', reason: "an error's code" },
  },
  error: {
    about: 'server',
    actor: 'system',
    kept: 'told',
    means:
      'Something broke on our side; `error` is what was thrown. It may hold personal data: log it with care.',
  },
} as const

export type EventType = keyof typeof eventTypes

type TypesThatAre<Facts> = {
  [Type in EventType]: (typeof eventTypes)[Type] extends Facts ? Type : never
}[EventType]
type Audited<About> = TypesThatAre<{ readonly about: About; readonly kept: 'audit' | 'timeline' }>

type Detail = Readonly<Record<string, unknown>>

/** One that is written into the audit log. */
export type AuditedEvent =
  | SessionEndedEvent
  | {
      readonly type: Exclude<Audited<'session'>, 'session.ended'>
      readonly at: number
      readonly accountId: string
      readonly sessionId: string
      readonly detail?: Detail
    }
  | {
      readonly type: Audited<'account'>
      readonly at: number
      readonly accountId: string
      readonly detail?: Detail
    }
  | {
      readonly type: Audited<'anybody'>
      readonly at: number
      readonly accountId: string | null
      readonly detail?: Detail
    }
  | {
      readonly type: Audited<'server'>
      readonly at: number
      readonly accountId?: null
      readonly detail: Detail
    }

export interface SessionEndedEvent {
  readonly type: 'session.ended'
  readonly at: number
  readonly accountId: string
  readonly sessionId: string
  readonly detail: { readonly reason: EndReason; readonly by_session?: string }
}

/** What `onEvent` hears. Ids only: no address, e-mail, token or password is in it. `at` is milliseconds. */
export type AuthEvent =
  | AuditedEvent
  | {
      readonly type: 'access_token.large'
      readonly at: number
      readonly accountId: string
      readonly detail: Detail
    }
  | { readonly type: 'try.refused'; readonly at: number; readonly detail: { readonly brake: string | null } }
  | {
      readonly type: 'mail.failed' | 'mail.dropped'
      readonly at: number
      readonly detail: { readonly attempt: number; readonly reason: string }
    }
  | { readonly type: 'error'; readonly at: number; readonly error: unknown }

/** The types that a person sees in the time line of a session. */
export const timelineTypes: readonly string[] = Object.entries<EventFacts>(eventTypes)
  .filter(([, { kept }]) => kept === 'timeline')
  .map(([type]) => type)
