/** 128 random bits in 28 letters and digits. */
export function randomId(): string {
  const parts = [...crypto.getRandomValues(new Uint32Array(4))]
  return parts.map((part) => part.toString(36).padStart(7, '0')).join('')
}
