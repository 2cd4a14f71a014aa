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

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
