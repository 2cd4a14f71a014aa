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
  lintClaims,
  refuseSensitiveClaims,
  type SensitiveClaimsOptions,
} from './explain/lint.ts'
