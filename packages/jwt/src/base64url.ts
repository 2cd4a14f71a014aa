import { createScratch } from './scratch.ts'
import { decodeUtf8 } from './text.ts'

/** The base64url text of the bytes, without padding (RFC 7515 §2). */
export function encodeBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

/** The base64url text of the text's UTF-8 bytes. */
export function encodeTextBase64url(text: string): string {
  const bytes = scratch.room(3 * text.length)
  return bytes.base64urlSlice(0, bytes.utf8Write(text, 0))
}

/**
 * The bytes of a base64url text, or undefined when the text is not the one canonical encoding of any bytes: padding,
 * white space, `+` and `/`, other characters, impossible lengths and stray bits are all refused (RFC 4648 §3.5).
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = borrowBase64url(text)
  return bytes && Buffer.from(bytes)
}

/**
 * The same bytes, without a copy: they lie in memory that the next call of any function of this file overwrites. Only for
 * those who read them at once, call nothing of anybody else's before, and hand them to nobody who keeps them.
 */
export function borrowBase64url(text: string): Buffer | undefined {
  const bytes = scratch.room(text.length)
  const length = bytes.base64urlWrite(text, 0)
  return bytes.base64urlSlice(0, length) === text ? scratch.first(bytes, length) : undefined
}

/** The text whose UTF-8 bytes a base64url text stands for; undefined when that is not canonical, or they not UTF-8. */
export function decodeTextBase64url(text: string): string | undefined {
  const bytes = scratch.room(text.length)
  const length = bytes.base64urlWrite(text, 0)
  return bytes.base64urlSlice(0, length) === text ? decodeUtf8(bytes, length) : undefined
}

const scratch = createScratch(16_384)
