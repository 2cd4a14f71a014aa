export { accountHash, type Mark, markOf, sessionHash } from './revocations/mark.ts'
export { EVERY_EPOCH, type RevokedEntry } from './revocations/records.ts'
export {
  claimsOf,
  eventTypes,
  feedAudience,
  keySetVersion,
  readStatement,
  type Statement,
  setType,
} from './revocations/statement.ts'
