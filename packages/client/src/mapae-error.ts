/**
 * Codes of the client itself. Every other code is the server's, and stable there: `invalid_credentials`, `too_many_tries`,
 * `identifier_taken`, `password_too_short` …
 *
 * | code | what a person can do |
 * |---|---|
 * | `offline` | connect to the network |
 * | `server_away` | wait: the server does not answer |
 * | `session_ended` | log in again; {@link MapaeError.endReason} says why |
 * | `store_failed` | free space, or allow the site to store data |
 *
 * The others are mistakes of the program: `body_not_replayable`, `target_not_allowed`, `options_invalid`, `redirected` (an API sent on a request
 * whose proof names one address), and `cookies_blocked` (the browser did not keep the cookies of a login: `diagnose()` says why), `answer_not_understood`.
 */
export type ClientCode =
  | 'offline'
  | 'server_away'
  | 'session_ended'
  | 'store_failed'
  | 'cookies_blocked'
  | 'answer_not_understood'
  | 'body_not_replayable'
  | 'target_not_allowed'
  | 'options_invalid'
  | 'redirected'

/** What the client throws. `message` is for a log, never holds a secret; tell people apart by `code`. */
export class MapaeError extends Error {
  override readonly name = 'MapaeError'
  declare readonly code: ClientCode | (string & {})
  /** The status of the server's answer, where one came. */
  declare readonly status?: number | undefined
  /** Seconds to wait before trying again, where the server says so. */
  declare readonly retryAfter?: number | undefined
  /** Why the session ended: `logout`, `expired`, `idle_expired`, `password_changed`, `refresh_token_reuse` … */
  declare readonly endReason?: string | undefined

  constructor(code: MapaeError['code'], description: string = code, more: MapaeErrorDetails = {}) {
    super(description, more)
    Object.assign(this, more, { code })
  }
}

export interface MapaeErrorDetails {
  readonly status?: number | undefined
  readonly retryAfter?: number | undefined
  readonly endReason?: string | undefined
  readonly cause?: unknown
}

/** Whether it is one of the client's errors, with one of these codes. */
export function hasCode(error: unknown, codes: RegExp): error is MapaeError {
  return error instanceof MapaeError && codes.test(error.code)
}

/** Whether the same may succeed later without anybody doing anything: the session is as it was. */
export function isPassing(error: unknown): error is MapaeError {
  if (!(error instanceof MapaeError)) return false
  const { code, status = 0 } = error
  return status === 429 || status >= 500 || /^(offline|server_away|store_failed)$/.test(code)
}
