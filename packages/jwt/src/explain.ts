export {
  type BudgetOptions,
  type BudgetVerdict,
  checkBudget,
  measureToken,
  type TokenMeasure,
} from './explain/budget.ts'
export {
  type ExplainedMember,
  type ExplainedTimes,
  explainJwt,
  type JwtExplanation,
  type JwtProblem,
} from './explain/explain.ts'
export {
  type ClaimFinding,
  type LintOptions,
  lintClaims,
  refuseSensitiveClaims,
  type SensitiveClaimsOptions,
} from './explain/lint.ts'
export type { SensitiveKind } from './explain/sensitive-names.ts'
