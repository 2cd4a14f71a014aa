import { GuardError } from '../guard-error.ts'

const answers: ReadonlySet<unknown> = new Set(['accept', 'refuse'])

/** Throws GuardError `options_invalid` for what is no `WhenStale`. */
export function checkWhenStale(value: unknown): void {
  if (!answers.has(value)) throw new GuardError('options_invalid', "whenStale must be 'accept' or 'refuse'.")
}
