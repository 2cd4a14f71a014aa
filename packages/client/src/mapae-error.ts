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
 * The others are mistakes of the program: `body_not_replayable`, `target_not_allowed`, `options_invalid`, `closed`, and
 * `cookies_blocked` (the browser did not keep the cookies of a login: `diagnose()` says why), `answer_not_understood`.
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
  | 'closed'

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

/** Whether the same may succeed later without anybody doing anything: the session is as it was. */
export function isPassing(error: unknown): error is MapaeError {
  if (!(error instanceof MapaeError)) return false
  if (error.code === 'offline' || error.code === 'server_away' || error.code === 'store_failed') return true
  return error.status === 429 || (error.status !== undefined && error.status >= 500)
}
