import { GuardError } from './guard-error.ts'

/** The origin of a URL in an option. Throws GuardError `options_invalid` for what is no http or https URL. */
export function originOf(option: string, url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol === 'https:' || parsed?.protocol === 'http:') return parsed.origin
  throw new GuardError('options_invalid', `${option} must be an http or https URL.`)
}
