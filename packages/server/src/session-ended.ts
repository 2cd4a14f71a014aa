import { AuthError } from './auth-error.ts'
import { meaningOf } from './end-reasons.ts'

/** The 401 that tells a client, and the person behind it, why their session has ended. */
export function sessionEnded(reason: string): AuthError {
  return new AuthError('session_ended', `The session has ended. ${meaningOf(reason)}`, {
    members: { end_reason: reason },
  })
}
