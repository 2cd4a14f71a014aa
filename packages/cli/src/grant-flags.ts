import type { Grants } from '@mapae/server'
import { usageError } from './command-error.ts'
import type { ManyFlag } from './flags.ts'
import { printable } from './printable.ts'

/** The flags that name roles and scopes. */
export const grantFlags: Readonly<Record<'role' | 'scope', ManyFlag>> = {
  role: { value: 'role', many: true, help: 'A role' },
  scope: { value: 'scope', many: true, help: 'A scope' },
}

/** What the flags name; refuses when they name nothing. */
export function readGrantFlags(
  command: string,
  { role = [], scope = [] }: { readonly role?: readonly string[]; readonly scope?: readonly string[] },
): Grants {
  if (role.length + scope.length === 0) throw usageError(`mapae ${command} needs --role or --scope.`)
  return { roles: role, scopes: scope }
}

/** What an account may do, as the end of a sentence. */
export function grantsInWords({ roles, scopes }: Grants): string {
  const parts = [...listed('role', roles), ...listed('scope', scopes)]
  return parts.length === 0 ? 'no roles and no scopes' : parts.join(' and ')
}

function listed(noun: string, names: readonly string[]): string[] {
  if (names.length === 0) return []
  return [`the ${noun}${names.length === 1 ? '' : 's'} ${names.map(printable).join(', ')}`]
}
