import { isMembers, type Members } from './wire.ts'

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
    typeof value['id'] === 'string' &&
    ['name', 'email', 'username'].every((name) => value[name] === null || typeof value[name] === 'string') &&
    ['roles', 'scopes'].every((name) => Array.isArray(value[name])) &&
    typeof value['email_verified'] === 'boolean' &&
    typeof value['created_at'] === 'number'
  )
}
