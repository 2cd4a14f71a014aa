import { JwtError } from '../errors.ts'
import { isJsonObject, parseJsonObject } from '../json.ts'
import { decodeSegment } from './base64url.ts'

/** How long a token is, and which claims make it so. */
export interface TokenMeasure {
  /** Characters of the whole token. */
  readonly length: number
  readonly header: number
  readonly payload: number
  readonly signature: number
  /** Characters of the token that each claim takes, about, the fattest first. */
  readonly claims: readonly { readonly name: string; readonly length: number }[]
}

export interface BudgetOptions {
  /** From this length on, in characters, the verdict is a warning. @default 1024 */
  readonly warn?: number | undefined
  /** From this length on, in characters, the token is refused: phones' key stores hold 2048 bytes. @default 1800 */
  readonly refuse?: number | undefined
}

export interface BudgetVerdict extends TokenMeasure {
  readonly verdict: 'ok' | 'warn'
}

/** Measures a compact token. What cannot be read as claims counts as a payload without any. */
export function measureToken(token: string): TokenMeasure {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return {
    length: token.length,
    header: header.length,
    payload: payload.length,
    signature: signature.length,
    claims: measureClaims(payload),
  }
}

/**
 * Holds a token that is about to be issued against the size budget. Throws `token_too_large`, naming the fattest claims (names,
 * never values), when it is `refuse` long or longer.
 */
export function checkBudget(token: string, options: BudgetOptions = {}): BudgetVerdict {
  const { warn = 1024, refuse = 1800 } = options
  if (!(warn > 0 && refuse > 0))
    throw new JwtError({ code: 'options_invalid', description: 'The budget must be numbers above zero.' })
  if (token.length < warn && token.length < refuse) return { verdict: 'ok', ...measureToken(token) }
  const measure = measureToken(token)
  if (token.length < refuse) return { verdict: 'warn', ...measure }
  const fattest = measure.claims.slice(0, 3).map(({ name, length }) => `${name} (${length})`)
  throw new JwtError({
    code: 'token_too_large',
    description: `The token would have ${token.length} characters of ${refuse} at most. Largest claims: ${fattest.join(', ') || 'none'}.`,
    detail: { length: token.length, refuse, claims: measure.claims },
  })
}

function measureClaims(payload: string): TokenMeasure['claims'] {
  const text = decodeSegment(payload)
  const claims = text === undefined ? undefined : parseJsonObject(text)
  if (!isJsonObject(claims)) return []
  return Object.entries(claims)
    .map(([name, value]) => ({
      name,
      length: Math.ceil((utf8Length(JSON.stringify({ [name]: value })) - 1) * (4 / 3)),
    }))
    .sort((a, b) => b.length - a.length)
}

function utf8Length(text: string): number {
  return encodeURIComponent(text).replace(/%../g, '.').length
}
