import { AuthError } from './auth-error.ts'

/** What an account may do, as its access tokens say it. */
export interface Grants {
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
}

/** Letters and digits of any script, and `. _ : / @ -` between them: `admin`, `org/42:owner`, `회계`. */
const ROLE = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._:/@-]{0,62}[\p{L}\p{M}\p{N}])?$/u
/** A scope-token (RFC 6749 §3.3) that a person can still read. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/
/** Bytes. What else an access token says must fit beside them into the budget of a token (1.8 KB by default). */
const LARGEST = 640

/**
 * Roles and scopes as they are kept: NFC, each once, in order.
 *
 * Refuses with `invalid_role`, `invalid_scope`, or `too_many_grants` where an access token could not carry them.
 */
export function readGrants({ roles = [], scopes = [] }: Partial<Grants>): Grants {
  return fitting({ roles: roles.map(readRole), scopes: scopes.map(readScope) })
}

/** Both together; refuses with `too_many_grants`. */
export function joined(one: Grants, other: Grants): Grants {
  return fitting({ roles: [...one.roles, ...other.roles], scopes: [...one.scopes, ...other.scopes] })
}

/** What is in the first and not in the second. */
export function without(one: Grants, other: Grants): Grants {
  return {
    roles: one.roles.filter((role) => !other.roles.includes(role)),
    scopes: one.scopes.filter((scope) => !other.scopes.includes(scope)),
  }
}

/** What is in both. */
export function common(one: Grants, other: Grants): Grants {
  return without(one, without(one, other))
}

export function isNothing({ roles, scopes }: Grants): boolean {
  return roles.length === 0 && scopes.length === 0
}

function fitting({ roles, scopes }: Grants): Grants {
  const grants = { roles: sorted(roles), scopes: sorted(scopes) }
  if (Buffer.byteLength(JSON.stringify(grants)) > LARGEST) throw new AuthError('too_many_grants')
  return grants
}

function readRole(role: string): string {
  const normal = role.normalize('NFC')
  if (!ROLE.test(normal)) throw new AuthError('invalid_role')
  return normal
}

function readScope(scope: string): string {
  if (!SCOPE.test(scope)) throw new AuthError('invalid_scope')
  return scope
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}
