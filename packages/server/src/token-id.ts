import { randomFillSync } from 'node:crypto'

const LENGTH = 16
const drawn = Buffer.alloc(256 * LENGTH)
let used = drawn.length

/**
 * 128 random bits as base64url, for what names a token and is no secret. They are drawn for 256 tokens at once: to ask the system
 * costs about as much for one.
 */
export function newTokenId(): string {
  if (used === drawn.length) {
    randomFillSync(drawn)
    used = 0
  }
  used += LENGTH
  return drawn.toString('base64url', used - LENGTH, used)
}
