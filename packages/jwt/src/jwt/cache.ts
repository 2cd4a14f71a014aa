import { JwtError } from '../errors.ts'
import { freezeDeep } from '../freeze.ts'
import type { VerifiedJwt } from './verified.ts'

/** How many characters of the end of a signature lead to its entry. Which token it is, the whole token decides. */
const TAIL = 12

/**
 * A verifier that remembers what it verified, at most `max` tokens, the oldest forgotten first. Only tokens whose signature was
 * right get in, so nobody can fill it with made-up ones. Two tokens with one tail take turns in one entry.
 */
export function rememberVerified(options: {
  readonly max: number
  readonly verifyAnew: (token: string) => VerifiedJwt
  /** Whether the key is still there; throws when the token is out of time. */
  readonly isStillGood: (verified: VerifiedJwt) => boolean
}): (token: string) => VerifiedJwt {
  const { isStillGood, max, verifyAnew } = options
  if (!Number.isSafeInteger(max) || max < 1) {
    throw new JwtError({ code: 'options_invalid', description: 'cache.max must be a positive whole number.' })
  }
  const entries = new Map<string, { readonly token: string; readonly verified: VerifiedJwt }>()
  return (token) => {
    const tail = typeof token === 'string' ? token.slice(-TAIL) : ''
    const entry = entries.get(tail)
    if (entry && entry.token === token) {
      if (isStillGood(entry.verified)) return entry.verified
      entries.delete(tail)
    }
    const verified = verifyAnew(token)
    freezeDeep(verified.claims)
    entries.delete(tail)
    entries.set(tail, { token, verified: Object.freeze(verified) })
    if (entries.size > max) forgetOldest(entries)
    return verified
  }
}

function forgetOldest(entries: Map<string, unknown>): void {
  for (const oldest of entries.keys()) {
    entries.delete(oldest)
    return
  }
}
