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
import { ALGORITHMS, CLAIMS, clock, POLICY } from './support.ts'

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
