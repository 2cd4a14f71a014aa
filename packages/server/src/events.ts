/** What `onEvent` hears. Ids only: no address, e-mail, token or password is in it. */
export type AuthEvent =
  | {
      readonly type: 'account.registered' | 'account.disabled'
      readonly at: number
      readonly accountId: string
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
  | { readonly type: 'login.failed'; readonly at: number; readonly accountId: string | null }
  | { readonly type: 'error'; readonly at: number; readonly error: unknown }
