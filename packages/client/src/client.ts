import type { Kept } from './kept.ts'
import type { User } from './user.ts'

/** What a person types to log in. One of `identifier`, `email` and `username`. */
export interface Login {
  readonly identifier?: string
  readonly email?: string
  readonly username?: string
  readonly password: string
  /** "Keep me logged in". @default true */
  readonly remember?: boolean
}

export interface Registration {
  readonly email?: string
  readonly username?: string
  readonly password: string
  readonly name?: string | null
  readonly remember?: boolean
}

/** Who is logged in on this device. */
export interface Session {
  readonly id: string
  readonly user: User
  /** Whether it is worth nothing without the key of this device. */
  readonly bound: boolean
}

/** What came of logging in. More types may come: a second factor is one more step. */
export type LoginResult = { readonly type: 'logged_in'; readonly session: Session }

/** What came of registering; `mail_sent`: where the auth server proves the address first. */
export type RegisterResult = LoginResult | { readonly type: 'mail_sent' }

/** What became of the session, in this tab or in another. */
export type Change =
  | { readonly type: 'logged_in' }
  | { readonly type: 'renewed' }
  | { readonly type: 'changed' }
  /** `reason`: `logout`, or why the server ended it. */
  | { readonly type: 'logged_out'; readonly reason: string }
  /** The store is full or out of order: what is new is in memory alone, and gone with the page. The session goes on. */
  | { readonly type: 'store_failed' }

/** A session as the list of sessions shows it. Moments are seconds since 1970, by the hour. */
export interface SessionOverview {
  readonly id: string
  /** In words: `Chrome on Windows`. */
  readonly device: string | null
  readonly user_agent: string | null
  readonly network: string | null
  /** Where that is, when the server looks it up. */
  readonly place: string | null
  readonly created_at: number
  readonly last_used_at: number
  readonly expires_at: number
  /** Whether it is the one that asks. */
  readonly current: boolean
}

export interface Client {
  /** Makes an account and logs in. Throws `identifier_taken`, `password_too_short` and the other codes of the server. */
  register(registration: Registration): Promise<RegisterResult>
  /** Throws `invalid_credentials`, `too_many_tries` (with `retryAfter`), `account_disabled` … */
  login(login: Login): Promise<LoginResult>
  /**
   * Ends the session. With header delivery this device forgets it even when the server cannot be told, which throws `offline` or
   * `server_away`; with cookie delivery it then stays logged in, since only the server can take the cookies back.
   */
  logout(): Promise<void>
  /** Ends every session of the account and opens a new one here. Throws `wrong_password` and the codes of a password. */
  changePassword(change: { readonly current: string; readonly next: string }): Promise<void>
  /** `fetch`, with the session's access token, which is renewed when it must be. See {@link Client} for what it throws. */
  fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>
  /** Who is logged in; undefined when nobody is. `fresh`: asks the server for the user again. */
  session(how?: { readonly fresh?: boolean }): Promise<Session | undefined>
  readonly sessions: {
    /** Where the person is logged in, newest first. */
    list(): Promise<readonly SessionOverview[]>
    /** Ends one of them. */
    end(id: string): Promise<void>
    /** Ends all but this one; resolves to how many that were. */
    endOthers(): Promise<number>
  }
  /** Calls back when the session changes, also in another tab. Returns how to stop that. */
  onChange(listener: (change: Change) => void): () => void
  /** An access token for what cannot use `fetch`, such as a WebSocket. Undefined when nobody is logged in. */
  accessToken(target?: string | URL): Promise<string | undefined>
  /**
   * The same with what a session that is bound to a key needs beside it: a proof (RFC 9449) of a GET of that address, for one use. `ws:` and
   * `wss:` are taken for `http:` and `https:`, as a guard sees the request that opens a WebSocket.
   */
  credential(target: string | URL): Promise<CredentialInHand | undefined>
  /** Looks for what is misconfigured between this page and its auth server. */
  diagnose(): Promise<readonly Finding[]>
  /** Lets go of what it listens to. The session stays. */
  close(): void
}

/** What a message that tells a server the access token holds. */
export interface CredentialInHand {
  readonly accessToken: string
  /** Where the session is bound to a key. */
  readonly proof?: string | undefined
}

/** One thing that `diagnose` found. */
export interface Finding {
  readonly severity: 'error' | 'warning'
  readonly code: string
  /** What is wrong, and what to do about it. */
  readonly text: string
}

export function sessionOf({ sid, jkt }: Pick<Kept, 'sid' | 'jkt'>, user: User): Session {
  return { id: sid, user, bound: jkt !== undefined }
}
