import { have, isMembers, type Members } from './wire.ts'

/** The person, as `GET /auth/me` shows them. */
export interface User {
  readonly id: string
  readonly name: string | null
  readonly email: string | null
  readonly email_verified: boolean
  readonly username: string | null
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  /** Seconds since 1970. */
  readonly created_at: number
  /** What else the profile tells. */
  readonly [claim: string]: unknown
}

/** Undefined for what is not a user. */
export function readUser(value: unknown): User | undefined {
  return isMembers(value) && isUser(value) ? value : undefined
}

function isUser(value: Members): value is Members & User {
  return (
    have(value, /string/, 'id') &&
    have(value, /string|null/, 'name email username') &&
    have(value, /boolean/, 'email_verified') &&
    have(value, /object/, 'roles scopes') &&
    have(value, /number/, 'created_at')
  )
}
