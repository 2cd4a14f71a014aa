import { isUtf8 } from 'node:buffer'

/** The text that the first `length` bytes encode, or undefined when they are not well-formed UTF-8 (RFC 3629). */
export function decodeUtf8(bytes: Buffer, length: number = bytes.length): string | undefined {
  const text = bytes.utf8Slice(0, length)
  // Decoding leaves U+FFFD wherever it found a fault; without one, there was none.
  return text.includes('\ufffd') && !isUtf8(bytes.subarray(0, length)) ? undefined : text
}
