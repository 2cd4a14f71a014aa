/** The base64url text of the bytes, without padding (RFC 7515 §2). */
export function encodeBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

/**
 * The bytes of a base64url text, or undefined when the text is not the one canonical encoding of any bytes: padding,
 * white space, `+` and `/`, other characters, impossible lengths and stray bits are all refused (RFC 4648 §3.5).
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
