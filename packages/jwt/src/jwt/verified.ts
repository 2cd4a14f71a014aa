import type { JwtHeader } from '../jws/header.ts'
import type { Key } from '../keys/key.ts'
import type { JwtClaims } from './claims.ts'

/** A token that passed every check, and the key that it was signed with. */
export interface VerifiedJwt {
  readonly header: JwtHeader
  readonly claims: JwtClaims
  readonly key: Key
}
