import type { Mark } from './mark.ts'

/** One thing that is revoked, as the feed tells it. `expiresAt` is seconds. */
export interface RevokedEntry extends Mark {
  /** Tokens of a lower epoch are refused; {@link EVERY_EPOCH} for a session, all of whose tokens are. */
  readonly epoch: number
  readonly expiresAt: number
}

export const EVERY_EPOCH = 0xffffffff

/** Bytes of an entry in a list: the 64-bit mark, the epoch and the end, all big-endian. */
const RECORD = 16

/** The entries of a list, as the one text that its security event token holds. */
export function encodeRecords(entries: readonly RevokedEntry[]): string {
  const bytes = Buffer.allocUnsafe(entries.length * RECORD)
  for (const [index, { high, low, epoch, expiresAt }] of entries.entries()) {
    const at = index * RECORD
    bytes.writeUInt32BE(high, at)
    bytes.writeUInt32BE(low, at + 4)
    bytes.writeUInt32BE(epoch, at + 8)
    bytes.writeUInt32BE(expiresAt, at + 12)
  }
  return bytes.toString('base64url')
}

/** The reverse; undefined for what holds no whole number of records. */
export function decodeRecords(text: string): Iterable<RevokedEntry> | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length % RECORD === 0 ? records(bytes) : undefined
}

function* records(bytes: Buffer): Iterable<RevokedEntry> {
  for (let at = 0; at < bytes.length; at += RECORD) {
    yield {
      high: bytes.readUInt32BE(at),
      low: bytes.readUInt32BE(at + 4),
      epoch: bytes.readUInt32BE(at + 8),
      expiresAt: bytes.readUInt32BE(at + 12),
    }
  }
}
