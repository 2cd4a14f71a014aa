import { randomBytes } from 'node:crypto'

const HOUR = 3_600_000

/**
 * 128 random bits behind a coarse time (the hour), so that rows made together lie together in the
 * index: fully random primary keys cost a database twice as much. 26 base64url characters.
 */
export function newId(now: number): string {
  const bytes = Buffer.alloc(19)
  bytes.writeUIntBE(Math.max(0, Math.floor(now / HOUR)) % 2 ** 24, 0, 3)
  randomBytes(16).copy(bytes, 3)
  return bytes.toString('base64url')
}
