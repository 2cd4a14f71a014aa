import { isAscii, isUtf8 } from 'node:buffer'

/** The text that the bytes encode, or undefined when they are not well-formed UTF-8 (RFC 3629). */
export function decodeUtf8(bytes: Buffer): string | undefined {
  if (isAscii(bytes)) return bytes.toString('latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}
