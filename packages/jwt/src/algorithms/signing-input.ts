let pool = Buffer.allocUnsafeSlow(16_384)

/**
 * The first `length` characters of an ASCII text as bytes, in a buffer that the next call overwrites: hand it to
 * node:crypto at once and keep no reference.
 */
export function asciiBytes(text: string, length: number = text.length): Buffer {
  if (text.length > pool.length) pool = Buffer.allocUnsafeSlow(text.length)
  pool.write(text, 0, 'latin1')
  return pool.subarray(0, length)
}
