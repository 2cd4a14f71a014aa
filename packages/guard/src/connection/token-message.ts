import type { InBandToken } from './in-band.ts'

/**
 * Reads the message `{"type":"mapae.token","access_token":"…"}`, with `"dpop"` for a bound token. Nothing for every other
 * message, and for one of over 32,768 characters: no token is as long as that.
 */
export function readTokenMessage(data: unknown): InBandToken | undefined {
  const text = textOf(data)
  if (text === undefined || text.length > longest || !text.includes('mapae.token')) return undefined
  const { type, access_token: accessToken, dpop } = membersOf(text)
  if (type !== 'mapae.token' || typeof accessToken !== 'string') return undefined
  if (dpop === undefined) return { accessToken }
  return typeof dpop === 'string' ? { accessToken, proof: dpop } : undefined
}

const longest = 32_768

/** `ws` gives one Buffer, several, or an ArrayBuffer, as its `binaryType` says. */
function textOf(data: unknown): string | undefined {
  if (typeof data === 'string') return data
  if (Buffer.isBuffer(data)) return data.length > longest ? undefined : data.toString()
  if (data instanceof ArrayBuffer) return textOf(Buffer.from(data))
  return Array.isArray(data) && data.every(Buffer.isBuffer) ? textOf(Buffer.concat(data)) : undefined
}

function membersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
