import { decodeBase64 } from './base64.ts'
import { verifyOnThread } from './hashing-threads.ts'
import { unfit } from './salt-and-key.ts'
import { refused, type Scheme } from './scheme.ts'

const SHAPE = /^\$argon2(i|d|id)\$v=(\d{1,2})\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,3})\$([^$]+)\$([^$]+)$/
/** KiB: 256 MiB. */
const MOST_MEMORY = 262_144
/** KiB times passes: about a second. */
const MOST_WORK = 1_048_576
const MOST_LANES = 16

/** argon2id and argon2i in the PHC string format (RFC 9106), `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
export const argon2: Scheme = {
  name: 'argon2',
  read(text) {
    if (!text.startsWith('$argon2')) return undefined
    const [, variant, version, m, t, p, salt = '', key = ''] = SHAPE.exec(text) ?? []
    if (variant === undefined) return refused('It is not a whole argon2 hash.')
    if (variant === 'd') return refused('Of argon2, argon2id and argon2i are taken.')
    if (version !== '19') return refused('Of argon2, version 19 is taken.')
    const [memory, passes, lanes] = [Number(m), Number(t), Number(p)]
    if (lanes < 1 || lanes > MOST_LANES || passes < 1 || memory < 8 * lanes)
      return refused('The parameters of the argon2 hash cannot be.')
    if (memory > MOST_MEMORY || memory * passes > MOST_WORK)
      return refused('The argon2 hash takes more memory or time than 256 MiB, or four passes over them.')
    const problem = unfit(decodeBase64(salt), decodeBase64(key))
    if (problem !== undefined) return refused(problem)
    return { type: 'hash', verify: (password) => verifyOnThread(text, password) }
  },
}
