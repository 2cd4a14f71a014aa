import { createScratch } from '../scratch.ts'

const scratch = createScratch(16_384)

/**
 * The first `length` characters of an ASCII text as bytes, in memory that the next call overwrites: hand it to
 * node:crypto at once and keep no reference.
 */
export function asciiBytes(text: string, length: number = text.length): Buffer {
  const bytes = scratch.room(text.length)
  bytes.latin1Write(text, 0)
  return scratch.first(bytes, length)
}
