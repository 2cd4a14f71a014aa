export type { AccessClaims, Claims } from './access-claims.ts'
export {
  type Admission,
  type Admitted,
  type Anonymous,
  createGuard,
  type Guard,
  type GuardStatus,
  type Soon,
} from './guard.ts'
export { GuardError, type GuardErrorCode } from './guard-error.ts'
export type { HeaderPair, HeaderReader } from './http/headers.ts'
export type { ProblemDetails } from './http/problem.ts'
export type { Needs } from './needs.ts'
export type { GuardOptions } from './options.ts'
export type { ReadOwnClaims } from './own-claims.ts'
export type { Refusal } from './refusal.ts'
export type { Renew, Renewal, RenewRequest } from './renewal.ts'
export type { GuardRequest } from './request.ts'
export type { MetadataOptions, ResourceMetadata } from './resource-metadata.ts'
export type { RevocationOptions, RevocationStatus, WhenStale } from './revocations/options.ts'
export type { Scope } from './scope.ts'
