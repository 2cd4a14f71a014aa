import { JwtError } from '../errors.ts'
import { malformed } from './header.ts'

/** The longest token that is read or made, in characters, when nothing else is said. */
export const DEFAULT_MAX_LENGTH = 8192

/** Where the two dots of a compact JWS are. */
export interface Dots {
  readonly first: number
  readonly last: number
}

/** Finds the dots. Refuses a token that is too long before anything else, then one without exactly three segments. */
export function findDots(token: string, maxLength: number): Dots {
  if (typeof token !== 'string') throw malformed('it is not a string')
  if (token.length > maxLength) throw tooLarge(maxLength)
  const first = token.indexOf('.')
  const last = token.indexOf('.', first + 1)
  if (first < 1 || last < 0 || token.includes('.', last + 1))
    throw malformed('it does not have three segments')
  return { first, last }
}

export function checkMaxLength(maxLength: number): number {
  if (Number.isSafeInteger(maxLength) && maxLength > 0) return maxLength
  throw new JwtError({ code: 'options_invalid', description: 'maxLength must be a positive whole number.' })
}

export function tooLarge(maxLength: number): JwtError {
  return new JwtError({
    code: 'token_too_large',
    description: `The token is longer than ${maxLength} characters.`,
  })
}
