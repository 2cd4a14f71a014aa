import { timingSafeEqual } from 'node:crypto'
import { decodeBase64 } from './base64.ts'
import { scryptOnThread } from './hashing-threads.ts'
import { unfit } from './salt-and-key.ts'
import { type HashReading, refused, type Scheme } from './scheme.ts'

interface Cost {
  readonly N: number
  readonly r: number
  readonly p: number
}

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,4}),p=(\d{1,4})\$([^$]+)\$([^$]+)$/
const PAIR = /^([0-9a-f]{32}):([0-9a-f]{128})$/i
/** Bytes: 128 MiB. */
const MOST_MEMORY = 134_217_728
/** 128·N·r·p: about a second. */
const MOST_WORK = 536_870_912

/**
 * scrypt (RFC 7914) in the PHC string format, `$scrypt$ln=…,r=…,p=…$salt$hash`, and as Node.js applications
 * keep it: `salt:key` in hexadecimal, where the salt's digits themselves are the salt.
 */
export const scrypt: Scheme = {
  name: 'scrypt',
  read(text) {
    if (text.startsWith('$scrypt$')) return readPhc(text)
    const [, salt, key] = PAIR.exec(text) ?? []
    return salt === undefined || key === undefined ? undefined : readPair(salt, Buffer.from(key, 'hex'))
  },
}

function readPhc(text: string): HashReading {
  const [, ln, r, p, saltText = '', keyText = ''] = PHC.exec(text) ?? []
  if (ln === undefined) return refused('It is not a whole scrypt hash.')
  const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p) }
  if (cost.N < 2 || cost.r < 1 || cost.p < 1) return refused('The parameters of the scrypt hash cannot be.')
  if (memoryOf(cost) > MOST_MEMORY || memoryOf(cost) * cost.p > MOST_WORK)
    return refused('The scrypt hash takes more memory or time than 128 MiB, or four passes over them.')
  const [salt, key] = [decodeBase64(saltText), decodeBase64(keyText)]
  const problem = unfit(salt, key)
  if (problem !== undefined || !salt || !key) return refused(problem ?? '')
  return { type: 'hash', verify: (password) => isDerived(password, { salt, key, cost }) }
}

/** A pair does not name its cost: that of Better Auth and Lucia, else the default of Node.js. */
const PAIR_COSTS: readonly Cost[] = [
  { N: 16_384, r: 16, p: 1 },
  { N: 16_384, r: 8, p: 1 },
]

function readPair(salt: string, key: Buffer): HashReading {
  return {
    type: 'hash',
    async verify(password) {
      for (const cost of PAIR_COSTS)
        if (await isDerived(password, { salt: Buffer.from(salt), key, cost })) return true
      return false
    },
  }
}

async function isDerived(
  password: string,
  { salt, key, cost }: { salt: Uint8Array; key: Uint8Array; cost: Cost },
): Promise<boolean> {
  const derived = await scryptOnThread(password, salt, key.length, {
    ...cost,
    maxmem: 2 * memoryOf(cost) + 2 ** 20,
  })
  return timingSafeEqual(derived, key)
}

function memoryOf({ N, r }: Cost): number {
  return 128 * N * r
}
