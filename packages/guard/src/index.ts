export { GuardError, type GuardErrorCode } from './guard-error.ts'
