import type { Generated } from 'kysely'

/**
 * The tables, as both databases hold them. Times are milliseconds of the application's clock;
 * lists are JSON text; hashes and ids are base64url text.
 */
export interface Tables {
  accounts: AccountRow
  identifiers: IdentifierRow
  sessions: SessionRow
  dpop_proofs: DpopProofRow
  signing_keys: SigningKeyRow
  revocations: RevocationRow
  audit: AuditRow
  settings: SettingRow
  codes: CodeRow
  mails: MailRow
  brakes: BrakeRow
  guards: GuardRow
}

interface AccountRow {
  id: string
  name: string | null
  password_hash: string | null
  /** Raised to refuse every older access token of the account. */
  epoch: Generated<number>
  roles: string
  scopes: string
  /** JSON: what the person tells of themselves, in the claims of OpenID Connect Core §5.1. */
  profile: string | null
  disabled_at: number | null
  /** When a session was opened last. */
  last_login_at: number | null
  /** A tombstone: nothing but ids and times is left, so that sessions can still say why they ended. */
  deleted_at: number | null
  created_at: number
  updated_at: number
}

interface IdentifierRow {
  kind: string
  /** Normalised: what must be unique within its kind. */
  value: string
  account_id: string
  /** As the person wrote it. */
  display: string
  verified_at: number | null
  created_at: number
}

interface SessionRow {
  id: string
  account_id: string
  client_id: string | null
  salt: string
  generation: number
  refresh_hash: string
  attempt_hash: string | null
  previous_attempt_hash: string | null
  rotated_at: number
  /** The newest generation that somebody fetched without the attempt id that made it. */
  shared_generation: Generated<number>
  /** How many generations in a row that happened. */
  shared_run: Generated<number>
  transport: string
  /** The key that the session is bound to, set when it is opened and never changed. */
  jkt: string | null
  auth_time: number
  amr: string
  /** Where it was used from last. */
  user_agent: string | null
  network: string | null
  place: string | null
  /** 1, or 0 for "keep me logged in" turned off: cookies of the browser's session, a short idle life. */
  remembered: Generated<number>
  created_at: number
  expires_at: number
  idle_expires_at: number
  ended_at: number | null
  end_reason: string | null
  /** Before this it cannot have run out. Moved on by the sweep alone, so that a renewal touches no index. */
  sweep_at: Generated<number>
}

interface DpopProofRow {
  /** Of the key's thumbprint and the proof's `jti`. */
  hash: string
  expires_at: number
}

interface SigningKeyRow {
  kid: string
  algorithm: string
  public_jwk: string
  private_wrapped: string
  created_at: number
  active_from: number
  withdrawn_at: number | null
  /** The key that it was made to follow by itself; of replicas that do so at once, one makes it. */
  succeeds: Generated<string | null>
}

interface RevocationRow {
  seq: Generated<number>
  key_hash: string
  epoch: number | null
  /** The key that was withdrawn, where that is what happened. */
  kid: Generated<string | null>
  expires_at: number
}

interface AuditRow {
  seq: Generated<number>
  at: number
  type: string
  account_id: string | null
  session_id: string | null
  /** `self`, `someone`, `admin` or `system`; null in lines of before it was written down. */
  actor: string | null
  /** In whose name, where an administrator did it. */
  done_by: string | null
  network: string | null
  device: string | null
  place: string | null
  detail: string
}

interface SettingRow {
  key: string
  value: number
}

interface CodeRow {
  hash: string
  purpose: string
  /** Whose it is: the account's id, or the normalised address of somebody without an account. */
  subject: string
  account_id: string | null
  /** The address that it proves, as the person wrote it. */
  value: string
  created_at: number
  expires_at: number
  /** When it was used or made void. */
  used_at: number | null
}

interface MailRow {
  id: string
  /** Who gets what, encrypted: it may hold a live code. */
  sealed: string
  attempts: number
  created_at: number
  /** When it may be taken to be sent: pushed out by whoever takes it, so that one at a time does. */
  due_at: number
  /** When it is of no use any more. */
  expires_at: number
}

interface BrakeRow {
  /** A keyed hash of what is braked: no identifier and no address is in it. */
  key: string
  /** A keyed hash of whom it is about: what is deleted together. */
  subject: string
  /** So many tries may be made at once. */
  at_once: number
  /** One try is forgiven in this time, and no wait is longer. Milliseconds. */
  every: number
  /** When every try will be forgiven: one try is `every` milliseconds of it. */
  drained_at: number
  /** When the next try may be made. */
  open_at: number
  /** When the last one was made. */
  tried_at: number
}

interface GuardRow {
  /** What the guard calls itself. */
  id: string
  /** Names the published keys that it holds. */
  keys_version: string
  seen_at: number
  /** 1: it has shown the token of the feed. */
  has_token: number
}
