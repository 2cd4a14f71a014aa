const SHORTEST_KEY = 16
const LONGEST = 128

/** Why a salt and a derived key will not do, as a sentence; undefined when they will. A short key proves little. */
export function unfit(salt: Uint8Array | undefined, key: Uint8Array | undefined): string | undefined {
  if (!salt || !key) return 'The salt or the hash is not base64 without padding.'
  if (salt.length === 0 || salt.length > LONGEST) return `The salt must have 1 to ${LONGEST} bytes.`
  if (key.length < SHORTEST_KEY || key.length > LONGEST)
    return `The hash must have ${SHORTEST_KEY} to ${LONGEST} bytes.`
  return undefined
}
