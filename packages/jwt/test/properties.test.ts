import {
  createSigner,
  createVerifier,
  decodeUnverified,
  generateKey,
  JwtError,
  signJws,
  verifyJws,
} from '@mapae/jwt'
import { explainJwt, lintClaims, measureToken } from '@mapae/jwt/explain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ALGORITHMS, CLAIMS, clock, POLICY } from './support.ts'

/** Signing and verifying cost between 3 µs and a millisecond: the dear ones are tried less often. */
const isCheap = (alg: string) => /^(?:HS|ES256|Ed)/.test(alg)
const codeOf = (act: () => unknown): string => {
  try {
    act()
    return 'accepted'
  } catch (error) {
    return error instanceof JwtError ? error.code : `not ours: ${error}`
  }
}

describe.each(ALGORITHMS)('%s', (alg) => {
  const key = generateKey(alg)
  const numRuns = isCheap(alg) ? 60 : 15
  const sign = createSigner({ key, clock, maxLength: 100_000 })
  const verify = createVerifier({ keys: key, ...POLICY, maxLength: 100_000 })
  const token = sign(CLAIMS)

  it('gives any claims back as JSON would', () => {
    const claims = fc.dictionary(
      fc.string().filter((name) => name !== '__proto__' && name !== 'toJSON'),
      fc.jsonValue({ maxDepth: 5, noUnicodeString: false } as object),
    )
    fc.assert(
      fc.property(claims, (own) => {
        const all = { ...own, ...CLAIMS, nbf: undefined, jti: undefined }
        const json = JSON.stringify(all)
        if (json.includes('__proto__')) return
        expect(verify(sign(all)).claims).toEqual(JSON.parse(json))
      }),
      { numRuns },
    )
  })

  it('gives any bytes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
        expect(verifyJws({ token: signJws({ payload, key }), keys: key })).toEqual(payload)
      }),
      { numRuns },
    )
  })

  it('refuses any change of any character', () => {
    const cached = createVerifier({ keys: key, ...POLICY, cache: { max: 5 } })
    cached(token)
    const character = fc.oneof(
      fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/'),
      fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
    )
    fc.assert(
      fc.property(
        fc.nat(token.length - 1),
        character,
        fc.constantFrom('replace', 'insert', 'delete', 'shift'),
        (at, one, how) => {
          const put = {
            replace: one,
            insert: one + token[at],
            delete: '',
            shift: String.fromCharCode(token.charCodeAt(at) + 256),
          }[how]
          const changed = token.slice(0, at) + put + token.slice(at + 1)
          if (changed === token) return
          for (const check of [verify, cached])
            expect(codeOf(() => check(changed))).toMatch(
              /token_malformed|signature_invalid|algorithm_not_allowed|unsupported_algorithm|key_not_found|type_mismatch/,
            )
        },
      ),
      { numRuns: isCheap(alg) ? 400 : 100 },
    )
  })

  it('refuses every token in which one bit of one byte was flipped', () => {
    const segments = token.split('.').map((text) => Buffer.from(text, 'base64url'))
    for (const [which, bytes] of segments.entries()) {
      const step = isCheap(alg) ? 1 : Math.max(13, Math.floor(bytes.length / 20))
      for (let bit = 0; bit < bytes.length * 8; bit += step) {
        const changed = Buffer.from(bytes)
        changed[bit >> 3] = Number(changed[bit >> 3]) ^ (1 << (bit & 7))
        const parts = segments.map((one, at) => (at === which ? changed : one).toString('base64url'))
        expect(codeOf(() => verify(parts.join('.')))).not.toMatch(/accepted|not ours/)
      }
    }
  })
})

describe('anything at all', () => {
  const key = generateKey('HS256')
  const verify = createVerifier({ keys: key, ...POLICY })
  const segment = fc.oneof(
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc.base64String(),
    fc.string(),
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(segment, { maxLength: 6 }).map((parts) => parts.join('.')),
  )

  it('is refused with a JwtError, and explained without one', () => {
    fc.assert(
      fc.property(text, (one) => {
        expect(codeOf(() => verify(one))).not.toMatch(/accepted|not ours/)
        expect(codeOf(() => decodeUnverified(one))).not.toMatch(/not ours/)
        expect(explainJwt(one).problems.length).toBeGreaterThan(0)
        expect(measureToken(one).length).toBe(one.length)
      }),
      { numRuns: 1000 },
    )
  })

  it('is linted without an error', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), (claims) => Array.isArray(lintClaims(claims))),
      { numRuns: 300 },
    )
  })
})
