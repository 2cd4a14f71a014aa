import { isMembers, numberOf, textOf, textsOf } from './wire.ts'

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

export function readUser(value: unknown): User | undefined {
  if (!isMembers(value)) return undefined
  const id = textOf(value['id'])
  if (id === undefined) return undefined
  return {
    ...value,
    id,
    name: textOf(value['name']) ?? null,
    email: textOf(value['email']) ?? null,
    email_verified: value['email_verified'] === true,
    username: textOf(value['username']) ?? null,
    roles: textsOf(value['roles']),
    scopes: textsOf(value['scopes']),
    created_at: numberOf(value['created_at']) ?? 0,
  }
}
