import { AuthError } from '../auth-error.ts'
import type { RenewalRefusal } from '../renewal.ts'
import { sessionEnded } from '../session-ended.ts'
import { refusedProof } from './proof.ts'

/** A refused renewal in words for the client. */
export function refusedRenewal(refusal: RenewalRefusal): AuthError {
  switch (refusal.type) {
    case 'access_token_required':
    case 'invalid_grant':
    case 'refresh_superseded':
      return new AuthError(refusal.type)
    case 'invalid_token':
      return new AuthError('invalid_token', refusal.description)
    case 'invalid_dpop_proof':
    case 'use_dpop_nonce':
      return refusedProof(refusal)
    case 'session_ended':
      return sessionEnded(refusal.reason)
  }
}
