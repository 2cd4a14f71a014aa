import { verifyBcryptOnThread } from './hashing-threads.ts'
import { refused, type Scheme } from './scheme.ts'

const SHAPE = /^\$2([abxy]?)\$(\d\d)\$([./A-Za-z0-9]{53})$/
/** About a second. */
const COSTLIEST = 14
const CHEAPEST = 4
/** Blowfish takes no longer key: bcrypt never looked at what stands behind. */
const BYTES_THAT_COUNT = 72

/** bcrypt in its own notation, `$2b$10$…`. `$2x$` marks hashes of a broken implementation. */
export const bcrypt: Scheme = {
  name: 'bcrypt',
  read(text) {
    if (!text.startsWith('$2')) return undefined
    const [, version, cost] = SHAPE.exec(text) ?? []
    if (cost === undefined) return refused('It is not a whole bcrypt hash.')
    if (version === '' || version === 'x') return refused('Of bcrypt, $2a$, $2b$ and $2y$ are taken.')
    if (Number(cost) < CHEAPEST || Number(cost) > COSTLIEST)
      return refused(`A bcrypt cost from ${CHEAPEST} to ${COSTLIEST} is taken.`)
    return {
      type: 'hash',
      verify: (password) => verifyBcryptOnThread(firstBytes(password), text),
      bytesThatCount: BYTES_THAT_COUNT,
    }
  },
}

function firstBytes(password: string): Uint8Array {
  return Buffer.from(password).subarray(0, BYTES_THAT_COUNT)
}
