/** What `onEvent` hears. Ids only: no address, e-mail, token or password is in it. */
export type AuthEvent =
  | {
      readonly type:
        | 'account.registered'
        | 'account.imported'
        | 'account.disabled'
        | 'account.enabled'
        | 'account.deleted'
        | 'account.granted'
        | 'account.grants_withdrawn'
        | 'account.profile_changed'
        | 'email.verified'
        | 'email.change_asked'
        | 'email.changed'
        | 'password.changed'
        | 'password.reset_asked'
        | 'password.reset'
        | 'reauthentication.failed'
      readonly at: number
      readonly accountId: string
      readonly detail?: Readonly<Record<string, unknown>>
    }
  | {
      readonly type:
        | 'login.succeeded'
        | 'session.ended'
        | 'session.reuse_detected'
        | 'session.line_shared'
        | 'session.fetched_without_attempt'
        | 'session.adopted'
        | 'session.access_token_mismatch'
        | 'session.access_token_withdrawn'
        | 'session.stale_inline_renewal'
        | 'session.proof_refused'
      readonly at: number
      readonly accountId: string
      readonly sessionId: string
      readonly detail?: Readonly<Record<string, unknown>>
    }
  | {
      /** From now on told of no more: personal data among one's own claims, a token over `accessTokenBudget.warn`. */
      readonly type: 'access_token.personal_claims' | 'access_token.large'
      readonly at: number
      readonly accountId: string
      readonly detail: Readonly<Record<string, unknown>>
    }
  | {
      readonly type: 'login.failed'
      readonly at: number
      readonly accountId: string | null
      readonly detail?: Readonly<Record<string, unknown>>
    }
  /** Many identifiers failed within `seconds`, from so many networks: a few passwords are being tried on many accounts. */
  | {
      readonly type: 'login.spraying_seen'
      readonly at: number
      readonly accountId: null
      readonly detail: { readonly identifiers: number; readonly networks: number; readonly seconds: number }
    }
  /** Somebody was told to wait (`too_many_tries`), by the brake of that name. */
  | { readonly type: 'try.refused'; readonly at: number; readonly detail: { readonly brake: string | null } }
  /** A mail could not be sent: `reason` is an error's code. It is tried again, unless it was dropped. */
  | {
      readonly type: 'mail.failed' | 'mail.dropped'
      readonly at: number
      readonly detail: { readonly attempt: number; readonly reason: string }
    }
  | { readonly type: 'error'; readonly at: number; readonly error: unknown }
