import { timingSafeEqual } from 'node:crypto'
import { decodeBase64 } from './base64.ts'
import { pbkdf2OnThread } from './hashing-threads.ts'
import { unfit } from './salt-and-key.ts'
import { type HashReading, refused, type Scheme } from './scheme.ts'

const PHC = /^\$pbkdf2-(sha256|sha512)\$i=(\d{1,9})(?:,l=\d{1,3})?\$([^$]+)\$([^$]+)$/
const DJANGO = /^pbkdf2_(sha256|sha512)\$(\d{1,9})\$([^$]+)\$([^$]+)$/
/** About a second of SHA-256. */
const MOST_ITERATIONS = 3_000_000

/**
 * PBKDF2 (RFC 8018 §5.2) in the PHC string format, `$pbkdf2-sha256$i=…$salt$hash`, and as Django writes it:
 * `pbkdf2_sha256$iterations$salt$hash`, where the salt is text and the hash is padded.
 */
export const pbkdf2: Scheme = {
  name: 'pbkdf2',
  read(text) {
    if (text.startsWith('$pbkdf2')) return readPhc(text)
    return text.startsWith('pbkdf2_') ? readDjango(text) : undefined
  },
}

function readPhc(text: string): HashReading {
  const [, digest, iterations, salt = '', key = ''] = PHC.exec(text) ?? []
  if (digest === undefined) return refused('It is not a whole PBKDF2 hash of SHA-256 or SHA-512.')
  return fit({ digest, iterations: Number(iterations), salt: decodeBase64(salt), key: decodeBase64(key) })
}

function readDjango(text: string): HashReading {
  const [, digest, iterations, salt = '', key = ''] = DJANGO.exec(text) ?? []
  if (digest === undefined) return refused('It is not a whole PBKDF2 hash of SHA-256 or SHA-512.')
  const unpadded = decodeBase64(key.replace(/={1,2}$/, ''))
  return fit({ digest, iterations: Number(iterations), salt: Buffer.from(salt), key: unpadded })
}

function fit({
  digest,
  iterations,
  salt,
  key,
}: {
  digest: string
  iterations: number
  salt: Buffer | undefined
  key: Buffer | undefined
}): HashReading {
  const problem = unfit(salt, key)
  if (problem !== undefined || !salt || !key) return refused(problem ?? '')
  if (iterations < 1 || iterations > MOST_ITERATIONS)
    return refused(`PBKDF2 with 1 to ${MOST_ITERATIONS} iterations is taken.`)
  return {
    type: 'hash',
    verify: async (password) =>
      timingSafeEqual(await pbkdf2OnThread(password, salt, iterations, key.length, digest), key),
  }
}
