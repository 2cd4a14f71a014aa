import { hash } from 'node:crypto'

/** Four tokens share a place in the table, so that few are lost to each other before it is full. */
const WAYS = 4
const PLACES = 2 ** 17
/** 32-bit words of a hash: 128 bits. Whoever wants a made-up token taken for one of 500,000 tries 2^109 of them. */
const WORDS = 4

/** Which tokens are known to be authentic. */
export interface KnownTokens {
  has(token: string): boolean
  add(token: string): void
}

/**
 * Remembers the last half a million tokens or so, by 128 bits of their SHA-256, in 8 MB that never grow: what this process has
 * signed itself, or has verified, is not verified again when it comes back after its expiry. To verify ES256 costs forty times as
 * much as to look here. It tells that a signature was right, and nothing of keys, times or audiences.
 */
export function createKnownTokens(): KnownTokens {
  const table = new Uint32Array(PLACES * WAYS * WORDS)
  let turn = 0

  return {
    has: (token) => find(hashOf(token)) !== undefined,
    add(token) {
      const hash = hashOf(token)
      if (find(hash) !== undefined) return
      turn = (turn + 1) % WAYS
      write(hash, slot(hash, turn))
    },
  }

  function find(hash: Buffer): number | undefined {
    for (let way = 0; way < WAYS; way++) if (isAt(hash, slot(hash, way))) return way
    return undefined
  }

  function slot(hash: Buffer, way: number): number {
    return ((hash.readUInt32LE(16) % PLACES) * WAYS + way) * WORDS
  }

  function isAt(hash: Buffer, at: number): boolean {
    for (let word = 0; word < WORDS; word++)
      if (table[at + word] !== hash.readUInt32LE(word * 4)) return false
    return true
  }

  function write(hash: Buffer, at: number): void {
    for (let word = 0; word < WORDS; word++) table[at + word] = hash.readUInt32LE(word * 4)
  }
}

function hashOf(token: string): Buffer {
  return hash('sha256', token, 'buffer')
}
