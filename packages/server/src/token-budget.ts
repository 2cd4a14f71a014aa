import { JwtError } from '@mapae/jwt'
import { checkBudget } from '@mapae/jwt/explain'
import { AuthError } from './auth-error.ts'
import type { Context } from './context.ts'

/**
 * Holds an access token against `accessTokenBudget`. From `warn` on `access_token.large` tells of it, once for each set of
 * claims; from `refuse` on it throws `claims_refused`, naming the largest claims.
 */
export function holdToBudget(ctx: Context, token: string, accountId: string): void {
  const budget = ctx.settings.accessTokenBudget
  if (token.length < budget.warn && token.length < budget.refuse) return
  const measure = measured(token, budget)
  const type = 'access_token.large'
  const shape = measure.claims.map(({ name }) => name).sort()
  const detail = { length: measure.length, warn: budget.warn, largest: measure.claims.slice(0, 3) }
  ctx.emitOnce(`${type} ${shape}`, { type, at: ctx.clock(), accountId, detail })
}

function measured(token: string, budget: { readonly warn: number; readonly refuse: number }) {
  try {
    return checkBudget(token, budget)
  } catch (thrown) {
    if (thrown instanceof JwtError) throw new AuthError('claims_refused', thrown.description)
    throw thrown
  }
}
