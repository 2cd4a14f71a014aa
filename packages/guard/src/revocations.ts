export { accountHash, type Mark, markOf, sessionHash } from './revocations/mark.ts'
export { BEGINNING, isSamePlace, type Place, printPlace, readPlace } from './revocations/place.ts'
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
