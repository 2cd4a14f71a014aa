/**
 * The database refused or is not there.
 *
 * - `duplicate`: a unique value exists already.
 * - `conflict`: another transaction was in the way; the same work may be tried again.
 * - `unavailable`: locked, gone, full, or the fate of a commit is not known. Answered with 503.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: 'duplicate' | 'conflict' | 'unavailable'

  constructor(code: StoreError['code'], cause: unknown) {
    super(`the store answered: ${code}`, { cause })
    this.code = code
  }
}

const DUPLICATE = new Set<unknown>(['23505', 2067, 1555])
/** SQLite's words: @photostructure/sqlite gives no `errcode` to what a statement that returns rows throws. */
const DUPLICATE_WORDS = /^UNIQUE constraint failed/
const CONFLICT = new Set<unknown>(['40001', '40P01'])

/** What a driver threw, as one of ours. PostgreSQL tells by `code` (SQLSTATE), SQLite by `errcode`. */
export function toStoreError(thrown: unknown): StoreError {
  if (thrown instanceof StoreError) return thrown
  const marks = [property(thrown, 'code'), property(thrown, 'errcode')]
  if (marks.some((mark) => DUPLICATE.has(mark)) || DUPLICATE_WORDS.test(String(property(thrown, 'message'))))
    return new StoreError('duplicate', thrown)
  if (marks.some((mark) => CONFLICT.has(mark))) return new StoreError('conflict', thrown)
  return new StoreError('unavailable', thrown)
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
