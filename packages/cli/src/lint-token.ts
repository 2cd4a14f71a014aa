import { JwtError } from '@mapae/jwt'
import { checkBudget, type JwtExplanation, type JwtProblem, type TokenMeasure } from '@mapae/jwt/explain'
import { explainToken } from './read-token.ts'

/** What is wrong with what a token holds, and how long it is. */
export interface TokenFindings {
  /** `refuse`: such a token should not be issued. */
  readonly verdict: 'ok' | 'warn' | 'refuse'
  readonly problems: readonly JwtProblem[]
  readonly size: TokenMeasure
  /** Characters: from here on a token is refused. */
  readonly budget: number
}

/** Looks at a token as it was when it was issued: that it has expired since is no fault of it. */
export function lintToken(token: string, { budget, now }: { budget: number; now: number }): TokenFindings {
  const { claims } = explainToken(token, () => now)
  const { problems, size } = explainToken(token, () => beginningOf(claims) ?? now)
  const found = [...problems.filter((problem) => !isAboutSize(problem)), ...sizeProblems(token, budget)]
  const refused = found.some(({ severity }) => severity === 'error')
  return { verdict: refused ? 'refuse' : found.length > 0 ? 'warn' : 'ok', problems: found, size, budget }
}

/** When the token became valid, in milliseconds, as far as it says. */
function beginningOf(claims: JwtExplanation['claims']): number | undefined {
  const times = [claims?.['iat'], claims?.['nbf']].filter((time) => typeof time === 'number')
  if (times.length > 0) return Math.max(...times) * 1000
  const exp = claims?.['exp']
  return typeof exp === 'number' ? (exp - 1) * 1000 : undefined
}

/** Its form apart, the only thing that is said of a whole token is its size, by the usual budget. */
function isAboutSize({ severity, where }: JwtProblem): boolean {
  return severity === 'warning' && where === 'token'
}

function sizeProblems(token: string, budget: number): readonly JwtProblem[] {
  const where = 'token'
  try {
    if (checkBudget(token, { refuse: budget }).verdict === 'ok') return []
    const description = `The token has ${token.length} characters, and every request carries it.`
    return [{ severity: 'warning', where, description }]
  } catch (error) {
    if (!(error instanceof JwtError)) throw error
    const description = `The token has ${token.length} characters, and its budget ends at ${budget}.`
    return [{ severity: 'error', where, description }]
  }
}
