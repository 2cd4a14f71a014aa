import { createVerifier, generateKey, type Key, signJwt, toPublicKey } from '@mapae/jwt'
import { describe, expect, it } from 'vitest'
import { CLAIMS, expectRefusal, NOW, POLICY } from './support.ts'

describe('the verified-token cache', () => {
  const key = generateKey('ES256')
  const fresh = (text: string) => Buffer.from(text).toString('latin1')

  /** A verifier with a cache, and how often it looked for a key. */
  function cached(max = 10) {
    const state = { now: NOW, keys: [key] as Key[] }
    const verify = createVerifier({
      ...POLICY,
      keys: { find: ({ kid }) => state.keys.find((one) => one.kid === kid) },
      clock: () => state.now * 1000,
      cache: { max },
    })
    return { state, verify }
  }

  it('gives the same answer for the same token, frozen through and through', () => {
    const { verify } = cached()
    const token = signJwt({ claims: { ...CLAIMS, deep: { list: [{}] } }, key })
    const first = verify(token)
    expect(verify(fresh(token))).toBe(first)
    expect(first.claims).toEqual({ ...CLAIMS, deep: { list: [{}] } })
    expect(Object.isFrozen(first)).toBe(true)
    const { deep } = first.claims as unknown as { deep: { list: [object] } }
    expect([first.claims, deep, deep.list, deep.list[0]].every(Object.isFrozen)).toBe(true)
  })

  it.each([1, 2, 3])('remembers as many as it is told to (%i), and forgets the oldest', (max) => {
    const { verify } = cached(max)
    const tokens = Array.from({ length: max + 1 }, (_, n) => signJwt({ claims: { ...CLAIMS, n }, key }))
    const kept = tokens.slice(0, max).map((token) => [token, verify(token)] as const)
    for (const [token, verified] of kept) expect(verify(fresh(token))).toBe(verified)
    verify(tokens.at(-1) ?? '')
    const [oldest, ...others] = kept
    for (const [token, verified] of others) expect(verify(token)).toBe(verified)
    expect(oldest && verify(oldest[0])).not.toBe(oldest?.[1])
  })

  it('still checks the time on a hit', () => {
    const { state, verify } = cached()
    const token = signJwt({ claims: CLAIMS, key })
    verify(token)
    state.now = NOW + 300
    expectRefusal(() => verify(token), 'token_expired')
    state.now = NOW - 60
    expectRefusal(() => verify(token), 'token_not_yet_valid')
  })

  it('forgets a token at once when its key leaves the set or is replaced under its kid', () => {
    const { state, verify } = cached()
    const token = signJwt({ claims: CLAIMS, key })
    verify(token)
    state.keys = []
    expectRefusal(() => verify(token), 'key_not_found')
    state.keys = [generateKey('ES256', { kid: key.kid })]
    expectRefusal(() => verify(token), 'signature_invalid')
    state.keys = [toPublicKey(key)]
    expect(verify(token).key).toBe(state.keys[0])
  })

  it('never takes one token for another, whatever they share', () => {
    const { verify } = cached()
    const token = signJwt({ claims: CLAIMS, key })
    const other = signJwt({ claims: { ...CLAIMS, sub: 'admin' }, key })
    verify(token)
    const [header, , signature] = token.split('.')
    expectRefusal(() => verify(`${header}.${other.split('.')[1]}.${signature}`), 'signature_invalid')
    expectRefusal(() => verify(`x${token.slice(1)}`), 'token_malformed')
    expectRefusal(() => verify(token.slice(-12)), 'token_malformed')
    // @ts-expect-error
    expectRefusal(() => verify(undefined), 'token_malformed')
    expect(verify(other).claims.sub).toBe('admin')
    expect(verify(token).claims.sub).toBe('u1')
  })

  it('holds no more than it may', () => {
    const { verify } = cached(2)
    const tokens = [1, 2, 3].map((n) => signJwt({ claims: { ...CLAIMS, n }, key }))
    const [first, , third] = tokens.map(verify)
    expect(verify(String(tokens[2]))).toBe(third)
    expect(verify(String(tokens[0]))).not.toBe(first)
    for (const max of [0, -1, 1.5, Number.NaN]) expectRefusal(() => cached(max), 'options_invalid')
  })
})
