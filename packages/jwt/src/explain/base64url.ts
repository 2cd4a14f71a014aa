const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const VALUES: ReadonlyMap<string, number> = new Map(
  [...ALPHABET].map((character, value) => [character, value]),
)

/**
 * The text that a canonical base64url segment holds, or undefined when the segment is not canonical or its bytes are not
 * well-formed UTF-8. In plain JavaScript, for browsers and phones; inside Node the verifier has a faster one.
 */
export function decodeSegment(segment: string): string | undefined {
  const bytes = decodeBytes(segment)
  if (!bytes) return undefined
  try {
    return decodeURIComponent(bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
  } catch {
    return undefined
  }
}

/** The bytes of a canonical base64url text, or undefined (RFC 4648 §3.5, §5). */
export function decodeBytes(segment: string): number[] | undefined {
  const bytes: number[] = []
  let bits = 0
  let count = 0
  for (const character of segment) {
    const value = VALUES.get(character)
    if (value === undefined) return undefined
    bits = (bits << 6) | value
    count += 6
    if (count < 8) continue
    count -= 8
    bytes.push(bits >> count)
    bits &= (1 << count) - 1
  }
  return bits === 0 && count < 6 ? bytes : undefined
}
