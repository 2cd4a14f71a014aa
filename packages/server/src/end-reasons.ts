import type { Actor } from './actor.ts'

interface EndReasonFacts {
  /** Who ends a session for it, where no administrator does. */
  readonly actor: Actor
  /** For the person whose session it was, in one sentence of ASCII without quotes: it is in a header too. */
  readonly means: string
}

/** Why a session can have ended: what `end_reason` says, in a 401, in lists of sessions and in the audit log. Codes are stable. */
export const endReasons = {
  logout: { actor: 'self', means: 'It was logged out.' },
  ended_by_user: { actor: 'self', means: 'It was ended from another session of the account.' },
  ended_by_admin: { actor: 'admin', means: 'An administrator ended it.' },
  account_disabled: { actor: 'admin', means: 'An administrator disabled the account.' },
  account_deleted: { actor: 'self', means: 'The account was deleted.' },
  session_limit: {
    actor: 'self',
    means: 'The account was logged in at more places than it may be, and this one was not used for longest.',
  },
  replaced: { actor: 'self', means: 'Somebody logged in with the same browser.' },
  refresh_token_reuse: {
    actor: 'someone',
    means: 'A refresh token that had been replaced came again: somebody else may have had a copy of it.',
  },
  password_changed: { actor: 'self', means: 'The password was changed.' },
  password_reset: { actor: 'someone', means: 'The password was reset with a mailed code.' },
  expired: { actor: 'system', means: 'It had lasted as long as a session may.' },
  idle_expired: { actor: 'system', means: 'It was not used for too long.' },
  ended: { actor: 'system', means: 'It ended, for a reason that was not written down.' },
} as const

export type EndReason = keyof typeof endReasons

const facts: Readonly<Record<string, EndReasonFacts>> = endReasons

/** What a reason means, for the person whose session it was. */
export function meaningOf(reason: string): string {
  return (Object.hasOwn(facts, reason) && facts[reason]?.means) || endReasons.ended.means
}
