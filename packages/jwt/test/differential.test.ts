import { createHmac } from 'node:crypto'
import {
  exportJwk,
  generateKey,
  importKey,
  jwkThumbprint,
  signJws,
  signJwt,
  toPublicKey,
  verifyJws,
  verifyJwt,
} from '@mapae/jwt'
import fc from 'fast-check'
import {
  CompactSign,
  calculateJwkThumbprint,
  compactVerify,
  exportJWK,
  generateKeyPair,
  generateSecret,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose'
import { describe, expect, it } from 'vitest'
import { ALGORITHMS, CLAIMS, clock, NOW, POLICY, segment } from './support.ts'

describe.each(ALGORITHMS)('%s and jose', (alg) => {
  const key = generateKey(alg)
  const keys = key.use === 'secret' ? key : toPublicKey(key)
  const currentDate = new Date(clock())

  it('jose verifies what we sign', async () => {
    for (let n = 0; n < 20; n++) {
      const token = signJwt({ claims: { ...CLAIMS, n, text: '👑'.repeat(n) }, key })
      const { payload, protectedHeader } = await jwtVerify(token, keys.keyObject, {
        algorithms: [alg],
        currentDate,
        typ: 'JWT',
      })
      expect(payload).toEqual({ ...CLAIMS, n, text: '👑'.repeat(n) })
      expect(protectedHeader.kid).toBe(key.kid)
    }
    const raw = await compactVerify(signJws({ payload: new Uint8Array([0, 255]), key }), keys.keyObject)
    expect(raw.payload).toEqual(new Uint8Array([0, 255]))
  })

  it('we verify what jose signs', async () => {
    for (let n = 0; n < 20; n++) {
      const token = await new SignJWT({ ...CLAIMS, n, text: '마패'.repeat(n) })
        .setProtectedHeader({ alg, typ: 'JWT' })
        .sign(key.keyObject)
      expect(verifyJwt({ token, keys, ...POLICY }).claims).toEqual({ ...CLAIMS, n, text: '마패'.repeat(n) })
    }
    const raw = await new CompactSign(new Uint8Array([0, 255]))
      .setProtectedHeader({ alg, kid: key.kid })
      .sign(key.keyObject)
    expect(verifyJws({ token: raw, keys })).toEqual(new Uint8Array([0, 255]))
  })

  it('each reads the keys of the other, and calls them the same', async () => {
    const made =
      key.use === 'secret'
        ? await generateSecret(alg, { extractable: true })
        : (await generateKeyPair(alg, { extractable: true })).privateKey
    const jwk = await exportJWK(made)
    const ours = importKey({ ...jwk, kty: String(jwk.kty) }, { alg })
    expect(ours.kid).toBe(await calculateJwkThumbprint(jwk))
    const whole = exportJwk(key, { dangerouslyIncludePrivate: true })
    expect(await calculateJwkThumbprint(key.keyObject.export({ format: 'jwk' }) as JWK)).toBe(
      jwkThumbprint(whole),
    )
    const token = signJwt({ claims: CLAIMS, key: ours })
    const { payload } = await jwtVerify(
      token,
      ours.use === 'secret' ? ours.keyObject : toPublicKey(ours).keyObject,
      { currentDate },
    )
    expect(payload).toEqual(CLAIMS)
  })
})

describe('what we accept', () => {
  const key = generateKey('HS256')
  const text = fc.constantFrom(
    '',
    'JWT',
    'HS256',
    'none',
    'api',
    'https://issuer.example',
    key.kid,
    '\u0000',
    '👑',
  )
  const moment = fc.constantFrom(NOW - 1, NOW, NOW + 1, NOW + 5, NOW + 6, 0, -1, 1e15, 1.5)
  const value = fc.oneof(
    text,
    moment,
    fc.constantFrom(null, true, [], ['api'], ['web', 'api'], [1], {}, { exp: 1 }),
  )
  const members = (...names: string[]) => fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 })
  /** White space and a second member of the same name, which no serializer writes. */
  const written = (object: object, style: string) =>
    ({
      plain: JSON.stringify(object),
      spaced: JSON.stringify(object, null, 1),
      twice: `{"exp":1,${JSON.stringify(object).slice(1)}`,
    })[style] ?? ''
  const style = fc.constantFrom('plain', 'plain', 'plain', 'spaced', 'twice')
  const ending = fc.constantFrom('', '', '', '', '=', ' ', '.', 'A')

  it('jose accepts too: tokens rightly signed over whatever headers and claims', async () => {
    let accepted = 0
    const property = fc.asyncProperty(
      members('alg', 'typ', 'kid', 'cty', 'crit', 'b64', 'jwk', 'jku'),
      members('iss', 'aud', 'exp', 'nbf', 'iat', 'sub', 'jti', 'own'),
      style,
      style,
      ending,
      async (header, claims, headerStyle, claimsStyle, end) => {
        const input = [
          written({ alg: 'HS256', typ: 'JWT', ...header }, headerStyle),
          written({ ...CLAIMS, ...claims }, claimsStyle),
        ].map(segment)
        const mac = createHmac('sha256', key.keyObject).update(input.join('.')).digest('base64url')
        const token = `${input.join('.')}.${mac}${end}`
        const ours = acceptedBy(() => verifyJwt({ token, keys: key, ...POLICY }).claims)
        if (ours === undefined) return
        accepted++
        const { payload } = await jwtVerify(token, key.keyObject, {
          algorithms: ['HS256'],
          issuer: POLICY.issuer,
          audience: POLICY.audience,
          typ: POLICY.typ,
          clockTolerance: 5,
          currentDate: new Date(clock()),
        })
        expect(payload).toEqual(ours)
      },
    )
    await fc.assert(property, { numRuns: 2000 })
    expect(accepted).toBeGreaterThan(20)
  })

  const acceptedBy = (verify: () => object): object | undefined => {
    try {
      return verify()
    } catch {
      return undefined
    }
  }
})
