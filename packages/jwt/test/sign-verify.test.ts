import { sign as cryptoSign } from 'node:crypto'
import {
  createSigner,
  createVerifier,
  decodeUnverified,
  generateKey,
  importKey,
  signJws,
  signJwt,
  toPublicKey,
  verifyJws,
  verifyJwt,
} from '@mapae/jwt'
import { describe, expect, it } from 'vitest'
import { ALGORITHMS, CLAIMS, clock, expectRefusal, NOW, POLICY, refusalOf } from './support.ts'

const key = generateKey('ES256')
const sign = createSigner({ key, clock })
const verify = createVerifier({ keys: toPublicKey(key), ...POLICY })

describe.each(ALGORITHMS)('%s', (alg) => {
  const own = generateKey(alg)
  const other = generateKey(alg, { kid: own.kid })
  const keys = own.use === 'secret' ? own : toPublicKey(own)

  it('verifies what it signed, a hundred times', () => {
    const signOwn = createSigner({ key: own })
    const verifyOwn = createVerifier({ keys, ...POLICY })
    for (let n = 0; n < 100; n++) {
      const { claims, header, key: used } = verifyOwn(signOwn({ ...CLAIMS, n, text: '마패'.repeat(n % 7) }))
      expect(claims).toEqual({ ...CLAIMS, n, text: '마패'.repeat(n % 7) })
      expect(header).toEqual({ alg, typ: 'JWT', kid: own.kid })
      expect(used).toBe(keys)
    }
  })

  it('refuses the signature of another key', () => {
    const token = signJwt({ claims: CLAIMS, key: other })
    expectRefusal(() => verifyJwt({ token, keys, ...POLICY }), 'signature_invalid')
  })

  it('refuses every other algorithm name in the header, before any cryptography', () => {
    const [, payload, signature] = signJwt({ claims: CLAIMS, key: own }).split('.')
    for (const name of ALGORITHMS.filter((one) => one !== alg)) {
      const header = Buffer.from(JSON.stringify({ alg: name, typ: 'JWT' })).toString('base64url')
      const token = `${header}.${payload}.${signature}`
      expectRefusal(() => verifyJwt({ token, keys, ...POLICY }), 'algorithm_not_allowed')
    }
  })

  it('refuses a signature that is cut short, longer, or empty', () => {
    const token = signJwt({ claims: CLAIMS, key: own })
    const dot = token.lastIndexOf('.') + 1
    const signature = Buffer.from(token.slice(dot), 'base64url')
    for (const wrong of [signature.subarray(1), Buffer.concat([signature, signature]), Buffer.alloc(0)]) {
      const changed = token.slice(0, dot) + wrong.toString('base64url')
      expectRefusal(
        () => verifyJwt({ token: changed, keys, ...POLICY, maxLength: 20_000 }),
        'signature_invalid',
      )
    }
  })

  it('signs payloads larger than its buffers', () => {
    const payload = Buffer.alloc(40_000, 'x')
    const token = signJws({ payload, key: own, maxLength: 100_000 })
    expect(verifyJws({ token, keys, maxLength: 100_000 })).toEqual(new Uint8Array(payload))
    expect(verifyJwt({ token: signJwt({ claims: CLAIMS, key: own }), keys, ...POLICY }).claims).toEqual(
      CLAIMS,
    )
  })
})

describe('signing', () => {
  it('stamps iat from the clock when the claims have none, and leaves one that is there', () => {
    expect(decodeUnverified(sign({ sub: 'a' })).claims).toEqual({ sub: 'a', iat: NOW })
    expect(decodeUnverified(sign({ sub: 'a', iat: 5 })).claims).toEqual({ sub: 'a', iat: 5 })
  })

  it('writes typ and further header parameters', () => {
    const { header } = decodeUnverified(
      signJwt({ claims: {}, key, typ: 'dpop+jwt', header: { cty: 'x', n: 1 } }),
    )
    expect(header).toEqual({ alg: 'ES256', typ: 'dpop+jwt', cty: 'x', n: 1, kid: key.kid })
  })

  it.each(['alg', 'kid', 'crit', 'b64'])('does not let the caller set the header parameter %s', (name) => {
    expectRefusal(() => createSigner({ key, header: { [name]: 'x' } }), 'options_invalid')
  })

  it('refuses headers that are not JSON objects with a text as typ', () => {
    const circle: Record<string, unknown> = {}
    circle['circle'] = circle
    // @ts-expect-error a header is an object
    expectRefusal(() => signJws({ payload: '', key, header: 'x' }), 'options_invalid')
    expectRefusal(() => signJws({ payload: '', key, header: { typ: 5 } }), 'options_invalid', /typ must be/)
    expectRefusal(() => signJws({ payload: '', key, header: { cty: 5 } }), 'options_invalid', /cty must be/)
    expectRefusal(
      () => signJws({ payload: '', key, header: JSON.parse('{"__proto__":1}') }),
      'options_invalid',
    )
    const refused = refusalOf(() => signJws({ payload: '', key, header: circle }))
    expect([refused.code, refused.cause]).toEqual(['options_invalid', expect.any(TypeError)])
    const toJSON = () => ({ alg: 'none' })
    expectRefusal(() => signJws({ payload: '', key, header: { toJSON } }), 'options_invalid')
  })

  it('refuses claims that its own verifier would refuse', () => {
    const circle: Record<string, unknown> = {}
    circle['circle'] = circle
    for (const claims of [
      { exp: '5' },
      { exp: Number.NaN },
      { nbf: Number.POSITIVE_INFINITY },
      { iat: new Date() },
      { iss: 1 },
      { sub: null },
      { jti: 5 },
      { aud: [1] },
      { aud: {} },
      JSON.parse('{"__proto__":1}'),
      { n: 1n },
      { toJSON: () => ({ exp: 'never' }) },
      circle,
      null,
      [],
      'text',
    ]) {
      expectRefusal(() => sign(claims), 'claim_invalid')
    }
    expect(refusalOf(() => sign({ circle })).cause).toBeInstanceOf(TypeError)
  })

  it('refuses to make a token that is too large', () => {
    expectRefusal(() => sign({ text: 'x'.repeat(8192) }), 'token_too_large')
    const small = signJws({ payload: 'x', key })
    expect(signJws({ payload: 'x', key, maxLength: small.length })).toHaveLength(small.length)
    expectRefusal(() => signJws({ payload: 'x', key, maxLength: small.length - 1 }), 'token_too_large')
  })

  it('refuses a key that may not sign', () => {
    expectRefusal(() => createSigner({ key: toPublicKey(key) }), 'key_invalid')
    expectRefusal(() => createSigner({ key: { ...key } }), 'key_invalid', /importKey/)
    expectRefusal(
      () => createSigner({ key: importKey(generateKey('Ed25519').keyObject, { alg: 'EdDSA' }) }),
      'key_invalid',
    )
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s as maxLength', (maxLength) => {
    expectRefusal(() => createSigner({ key, maxLength }), 'options_invalid')
    expectRefusal(() => createVerifier({ keys: key, ...POLICY, maxLength }), 'options_invalid')
  })
})

describe('Ed25519 and its old name EdDSA', () => {
  const ed = generateKey('Ed25519')
  const old = importKey(toPublicKey(ed).keyObject, { alg: 'EdDSA' })
  const token = signJwt({ claims: CLAIMS, key: ed })
  const signedAsEdDsa = () => {
    const input = `${Buffer.from(`{"alg":"EdDSA","typ":"JWT","kid":"${ed.kid}"}`).toString('base64url')}.${token.split('.')[1]}`
    return `${input}.${signatureOf(input)}`
  }
  const signatureOf = (input: string) =>
    cryptoSign(null, Buffer.from(input), ed.keyObject).toString('base64url')

  it('accepts both names with a key of either', () => {
    for (const keys of [ed, toPublicKey(ed), old]) {
      expect(verifyJwt({ token, keys, ...POLICY }).claims).toEqual(CLAIMS)
      expect(verifyJwt({ token: signedAsEdDsa(), keys, ...POLICY }).header.alg).toBe('EdDSA')
    }
  })

  it('accepts only the name that algorithms lists', () => {
    const options = { keys: ed, algorithms: ['Ed25519' as const], ...POLICY }
    expectRefusal(() => verifyJwt({ token: signedAsEdDsa(), ...options }), 'algorithm_not_allowed')
    expect(verifyJwt({ token, ...options }).claims).toEqual(CLAIMS)
  })

  it('never signs as EdDSA and makes no key for it', () => {
    expectRefusal(() => generateKey('EdDSA'), 'unsupported_algorithm')
  })
})

describe('the claims policy', () => {
  const issue = (claims: object) => sign({ ...CLAIMS, ...claims })

  it('is exact about exp: valid just before, expired at the second itself', () => {
    const token = issue({ exp: NOW + 10 })
    const at = (ms: number) => () => verifyJwt({ token, keys: key, ...POLICY, clock: () => NOW * 1000 + ms })
    expect(at(9_999)().claims.exp).toBe(NOW + 10)
    expectRefusal(at(10_000), 'token_expired')
  })

  it('takes nbf and iat up to five seconds ahead, and no more', () => {
    expect(verify(issue({ nbf: NOW + 5, iat: NOW + 5 })).claims.nbf).toBe(NOW + 5)
    expectRefusal(() => verify(issue({ nbf: NOW + 5.001 })), 'token_not_yet_valid')
    expectRefusal(() => verify(issue({ iat: NOW + 6 })), 'token_not_yet_valid')
    const strict = createVerifier({ keys: key, ...POLICY, clockTolerance: 0 })
    expectRefusal(() => strict(issue({ nbf: NOW + 1 })), 'token_not_yet_valid')
  })

  it('refuses everything when the clock gives no number', () => {
    const broken = createVerifier({ keys: key, ...POLICY, clock: () => Number.NaN })
    expectRefusal(() => broken(issue({})), 'token_not_yet_valid')
    expectRefusal(
      () =>
        broken(
          signJws({ payload: JSON.stringify({ ...CLAIMS, iat: undefined }), key, header: { typ: 'JWT' } }),
        ),
      'token_expired',
    )
  })

  it('requires exp unless that is waived aloud', () => {
    const token = issue({ exp: undefined })
    expectRefusal(() => verify(token), 'claim_missing', /exp/)
    const lenient = createVerifier({ keys: key, ...POLICY, dangerouslyAllowNoExpiry: true })
    expect(lenient(token).claims.exp).toBeUndefined()
    expectRefusal(() => lenient(issue({ exp: NOW })), 'token_expired')
  })

  it('can leave the times uncompared, but never their types', () => {
    const timeless = createVerifier({ keys: key, ...POLICY, dangerouslyIgnoreTimes: true })
    expect(timeless(issue({ exp: 1, nbf: NOW + 999, iat: NOW + 999 })).claims.exp).toBe(1)
    expectRefusal(
      () => timeless(signJws({ payload: '{"exp":"1"}', key, header: { typ: 'JWT' } })),
      'claim_invalid',
    )
  })

  it('refuses another issuer and audience, and a token without them', () => {
    expectRefusal(() => verify(issue({ iss: 'https://issuer.example/' })), 'issuer_mismatch')
    expectRefusal(() => verify(issue({ aud: 'web' })), 'audience_mismatch')
    expectRefusal(() => verify(issue({ aud: [] })), 'audience_mismatch')
    expectRefusal(() => verify(issue({ iss: undefined })), 'claim_missing')
    expectRefusal(() => verify(issue({ aud: undefined })), 'claim_missing')
    expect(verify(issue({ aud: ['web', 'api'] })).claims.aud).toEqual(['web', 'api'])
  })

  it('gives the log what it compared, and people the name of the claim', () => {
    const refused = (claims: object) => {
      const { description, detail } = refusalOf(() => verify(issue(claims)))
      return [description, detail]
    }
    expect(refused({ iss: 'x' })).toEqual([expect.stringMatching(/another issuer/), { iss: 'x' }])
    expect(refused({ aud: ['x'] })).toEqual([expect.stringMatching(/another audience/), { aud: ['x'] }])
    for (const claim of ['iss', 'aud', 'exp'])
      expect(refused({ [claim]: undefined })).toEqual([`The claim ${claim} is missing.`, { claim }])
    expect(refused({ exp: NOW })).toEqual([expect.stringMatching(/expired/), { exp: NOW, now: NOW }])
    for (const claim of ['nbf', 'iat']) {
      const [description, detail] = refused({ [claim]: NOW + 60 })
      expect(description).toBe(`The token is not valid yet (${claim}).`)
      expect(detail).toEqual({ [claim]: NOW + 60, now: NOW })
    }
    const mistyped = signJws({ payload: '{"jti":1}', key, header: { typ: 'JWT' } })
    expect(refusalOf(() => verify(mistyped)).detail).toEqual({ claim: 'jti' })
  })

  it('takes several issuers, audiences and types', () => {
    const several = createVerifier({
      keys: key,
      clock,
      issuer: ['a', 'b'],
      audience: ['c', 'd'],
      typ: ['x', 'JWT'],
    })
    expect(several(issue({ iss: 'b', aud: 'd' })).claims.iss).toBe('b')
  })

  it('compares typ as a media type', () => {
    const options = { keys: key, ...POLICY, typ: 'at+jwt' }
    for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt']) {
      expect(verifyJwt({ token: signJwt({ claims: CLAIMS, key, typ }), ...options }).header.typ).toBe(typ)
    }
    for (const typ of ['JWT', 'application/at+jwt/x', 'text/at+jwt', '']) {
      expectRefusal(
        () => verifyJwt({ token: signJwt({ claims: CLAIMS, key, typ }), ...options }),
        'type_mismatch',
      )
    }
    expectRefusal(
      () => verifyJwt({ token: signJws({ payload: JSON.stringify(CLAIMS), key }), ...options }),
      'type_mismatch',
    )
  })

  it('requires the claims that it is told to, as own members', () => {
    const strict = createVerifier({ keys: key, ...POLICY, requiredClaims: ['sid', 'constructor'] })
    expectRefusal(() => strict(issue({ sid: 1 })), 'claim_missing', /constructor/)
    expect(strict(issue({ sid: 1, constructor: 1 })).claims['sid']).toBe(1)
  })

  it('accepts anything only where each waiver is named', () => {
    const any = createVerifier({
      keys: key,
      clock,
      dangerouslyAcceptAnyIssuer: true,
      dangerouslyAcceptAnyAudience: true,
      dangerouslyAcceptAnyType: true,
    })
    expect(any(signJws({ payload: `{"exp":${NOW + 1}}`, key })).claims).toEqual({ exp: NOW + 1 })
  })

  it('is not made without issuer, audience and typ, nor with one both named and waived', () => {
    const { issuer, audience, typ } = POLICY
    // @ts-expect-error audience is missing
    expectRefusal(() => createVerifier({ keys: key, issuer, typ }), 'options_invalid', /needs audience/)
    // @ts-expect-error issuer is missing
    expectRefusal(() => createVerifier({ keys: key, audience, typ }), 'options_invalid', /needs issuer/)
    // @ts-expect-error typ is missing
    expectRefusal(() => createVerifier({ keys: key, issuer, audience }), 'options_invalid', /needs typ/)
    for (const wrong of [['a', ''], ['a', 5], [5], 5]) {
      // @ts-expect-error names are text
      expectRefusal(() => createVerifier({ keys: key, ...POLICY, issuer: wrong }), 'options_invalid')
    }
    const both = { keys: key, ...POLICY, dangerouslyAcceptAnyIssuer: true } as const
    // @ts-expect-error both
    expectRefusal(() => createVerifier(both), 'options_invalid')
    expectRefusal(() => createVerifier({ keys: key, ...POLICY, issuer: [] }), 'options_invalid')
    expectRefusal(() => createVerifier({ keys: key, ...POLICY, audience: [''] }), 'options_invalid')
    expectRefusal(() => createVerifier({ keys: key, ...POLICY, clockTolerance: -1 }), 'options_invalid')
    expectRefusal(
      () => createVerifier({ keys: key, ...POLICY, clockTolerance: Number.NaN }),
      'options_invalid',
    )
    expectRefusal(() => createVerifier({ keys: key, ...POLICY, algorithms: [] }), 'options_invalid')
    // @ts-expect-error none is no algorithm
    expectRefusal(() => createVerifier({ keys: key, ...POLICY, algorithms: ['none'] }), 'options_invalid')
    const one = { keys: key, ...POLICY, algorithms: ['ES256', 'none'] } as const
    // @ts-expect-error the same
    expectRefusal(() => createVerifier(one), 'options_invalid')
    for (const keys of [{}, undefined, null]) {
      // @ts-expect-error no keys
      expectRefusal(() => createVerifier({ keys, ...POLICY }), 'options_invalid')
    }
  })

  it('says that a token has expired only when it is right in every other way', () => {
    const old = issue({ exp: NOW - 1, iss: 'other' })
    expectRefusal(() => verify(old), 'issuer_mismatch')
    expectRefusal(() => verify(`${issue({ exp: NOW - 1 }).slice(0, -8)}AAAAAAAA`), 'signature_invalid')
  })
})
