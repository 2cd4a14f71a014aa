import type { AccessClaims } from '../access-claims.ts'

/** Why a connection ends. */
export type EndReason = 'token_expired' | 'token_revoked'

/** What knows of revoked tokens. */
export type Revocations = {
  /** Whether the token with these claims was revoked. Answers at once; asked again and again. */
  revoked(claims: AccessClaims): boolean
  /** Calls the listener when something is revoked, so that nobody waits for the next look. Gives what stops it. */
  subscribe?(listener: () => void): () => void
}

export type LifeOptions = {
  /** @default the guard, by what it knows of revocations */
  readonly revocations?: Revocations | undefined
  /** How often to look whether the token is still good, in milliseconds. @default 1000 */
  readonly checkEvery?: number | undefined
  /** The time in milliseconds, like `Date.now`: that of the guard. @default Date.now */
  readonly clock?: (() => number) | undefined
}

/**
 * Calls `end`, once, as soon as the token that `claims` gives is expired or revoked. Gives what stops the watch. Looking again and
 * again, instead of setting one timer, follows a clock that is set and a renewal that moves the end.
 */
export function watchLife(
  claims: () => AccessClaims,
  end: (reason: EndReason) => void,
  { revocations, checkEvery = 1000, clock = Date.now }: LifeOptions,
): () => void {
  const look = () => {
    const reason = reasonToEnd(claims(), { revocations, now: clock() })
    if (!reason) return
    stop()
    end(reason)
  }
  const timer = setInterval(look, checkEvery).unref()
  const unsubscribe = revocations?.subscribe?.(look)
  const stop = () => {
    clearInterval(timer)
    unsubscribe?.()
  }
  return stop
}

/** Written so that a clock which gives NaN ends the connection. */
function reasonToEnd(
  claims: AccessClaims,
  { revocations, now }: { readonly revocations: Revocations | undefined; readonly now: number },
): EndReason | undefined {
  if (revocations?.revoked(claims)) return 'token_revoked'
  return now < claims.exp * 1000 ? undefined : 'token_expired'
}
