import { GuardError } from './guard-error.ts'

/** Scope names that are all needed: a list, or one string with spaces between them. */
export type Scope = string | readonly string[]

/** The names of a scope. Throws `options_invalid` when it is empty or not made of scope tokens (RFC 6749 §3.3). */
export function scopeNames(scope: Scope): readonly string[] {
  const names: readonly unknown[] = typeof scope === 'string' ? scope.split(' ') : scope
  if (Array.isArray(names) && names.length > 0 && names.every(isName)) return names
  throw new GuardError('options_invalid', 'A scope is one or more names of printable characters.')
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)
}
