const ALPHABET = /^[A-Za-z0-9+/]*$/

/** Base64 (RFC 4648 §4) as the PHC string format writes it: no padding, no stray bits. Undefined for anything else. */
export function decodeBase64(text: string): Buffer | undefined {
  if (!ALPHABET.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64').replace(/=+$/, '') === text ? bytes : undefined
}
