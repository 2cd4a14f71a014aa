/** Readers for what comes from elsewhere: `unknown` in, a typed value or undefined out. */

export type Members = Readonly<Record<string, unknown>>

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A JSON object; `{}` for whatever is none. */
export function parseMembers(text: string | undefined): Members {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return isMembers(value) ? value : {}
  } catch {
    return {}
  }
}

/** Whether all of these members are of one of these types, such as `/string|undefined/`. */
export function have(value: Members, types: RegExp, names: string): boolean {
  return names.split(' ').every((name) => types.test(value[name] === null ? 'null' : typeof value[name]))
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
