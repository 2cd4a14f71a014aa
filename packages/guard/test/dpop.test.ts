import { createHash } from 'node:crypto'
import { createGuard, type GuardOptions } from '@mapae/guard'
import { createNonces, createProofCheck, proofAlgorithms, rememberProofs, targetUri } from '@mapae/guard/dpop'
import { jwkThumbprint } from '@mapae/jwt'
import fc from 'fast-check'
import { exportJWK, generateKeyPair, generateSecret, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Changes, type Device, type ProofFor, startDevice } from '../../../test-support/device.ts'
import { type Issuer, renewalOf, start, startIssuer } from './issuer.ts'

/** RFC 9449, figures 2 and 4: a proof for a token request. */
const TOKEN_PROOF =
  'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg'
/** Figures 13 and 14: a proof for a protected resource, and the access token that goes along. */
const RESOURCE_PROOF =
  'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA'
const RESOURCE_TOKEN = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'
/** Figure 9: the thumbprint of the key of both. */
const JKT = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'

describe('the examples of RFC 9449', () => {
  const at = (seconds: number) => createProofCheck({ seen: rememberProofs(), clock: () => seconds * 1000 })
  const resource = {
    field: RESOURCE_PROOF,
    method: 'GET',
    uri: 'https://resource.example.org/protectedresource',
    accessToken: RESOURCE_TOKEN,
    jkt: JKT,
  }

  test('§4.1: the proof for a token request is proven, with the thumbprint of §6.1', async () => {
    const uri = 'https://server.example.com/token'
    const verdict = await at(1562262616)({ field: TOKEN_PROOF, method: 'POST', uri })
    expect(verdict).toEqual({ type: 'proven', jkt: JKT, nextNonce: undefined })
    const jwk = JSON.parse(Buffer.from(TOKEN_PROOF.split('.')[0] ?? '', 'base64url').toString()).jwk
    expect(jwkThumbprint(jwk)).toBe(JKT)
  })

  test('§7.1: the proof for a protected resource is proven with its access token and no other', async () => {
    expect(await at(1562262618)(resource)).toMatchObject({ type: 'proven', jkt: JKT })
    for (const accessToken of [undefined, `${RESOURCE_TOKEN}x`])
      expect(await at(1562262618)({ ...resource, accessToken })).toMatchObject({ type: 'invalid_dpop_proof' })
  })

  test('are too old now', async () => {
    const verdict = await createProofCheck({ seen: rememberProofs() })(resource)
    expect(verdict).toMatchObject({ type: 'invalid_dpop_proof', description: expect.stringContaining('iat') })
  })
})

describe('a proof', () => {
  const url = 'https://api.example/orders/7?page=2#x'
  const token = 'an.access.token'
  let device: Device
  let other: Device
  let now = start
  beforeAll(async () => {
    device = await startDevice()
    other = await startDevice()
  })
  beforeEach(() => {
    now = start
  })
  const clock = () => now
  const request = () => ({ method: 'GET', uri: url, accessToken: token, jkt: device.jkt })
  const make = (changes: Changes = {}, about: Partial<ProofFor> = {}, by = device) =>
    by.proof({ method: 'GET', url, now, token, ...about }, changes)
  const check = async (field: string | undefined, about: object = {}, seen = rememberProofs({ clock })) =>
    createProofCheck({ seen, clock })({ field, ...request(), ...about })
  const refused = (says: RegExp | string) => ({
    type: 'invalid_dpop_proof',
    description: typeof says === 'string' ? says : expect.stringMatching(says),
  })

  test('that another library made is proven', async () => {
    expect(await check(await make())).toEqual({ type: 'proven', jkt: device.jkt, nextNonce: undefined })
  })

  test.each(proofAlgorithms.filter((alg) => alg !== 'EdDSA'))('may be signed with %s', async (alg) => {
    const its = await startDevice(alg)
    expect(await check(await make({}, {}, its), { jkt: its.jkt })).toMatchObject({ type: 'proven' })
  })

  test('may call Ed25519 by its old name, EdDSA', async () => {
    const { privateKey, publicKey } = await generateKeyPair('Ed25519', { extractable: true })
    const proof = await new SignJWT({
      jti: 'x',
      htm: 'GET',
      htu: 'https://api.example/orders/7',
      iat: now / 1000,
      ath: athOf(token),
    })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'EdDSA', jwk: await exportJWK(publicKey) })
      .sign(privateKey)
    expect(await check(proof, { jkt: undefined })).toMatchObject({ type: 'proven' })
  })

  describe('is checked by every item of RFC 9449 §4.3', () => {
    test('1: there is not more than one', async () => {
      const [one, two] = [await make(), await make()]
      for (const field of [`${one}, ${two}`, `${one},${one}`])
        expect(await check(field)).toEqual(refused(/one DPoP field/))
    })

    test('1: there is one', async () => {
      expect(await check(undefined)).toEqual(refused('A DPoP proof is needed, in the DPoP field.'))
    })

    test.each([
      '',
      ' ',
      'abc',
      'a.b',
      'a.b.c.d',
      '{}',
      `DPoP ${TOKEN_PROOF}`,
      `${TOKEN_PROOF}=`,
      `${TOKEN_PROOF} `,
    ])('2: it is a well-formed JWT, not %j', async (field) => {
      expect(await check(field)).toEqual(refused(/malformed/))
    })

    test('2: it is not longer than a header field can be', async () => {
      expect(await check(await make({ claims: { padding: 'x'.repeat(8000) } }))).toEqual(
        refused(/longer than/),
      )
    })

    test.each(['jti', 'htm', 'htu', 'iat'])('3: it has the claim %s', async (claim) => {
      expect(await check(await make({ claims: { [claim]: undefined } }))).toEqual(
        refused(new RegExp(`${claim} is missing`)),
      )
    })

    test.each([
      ['jti', 5],
      ['jti', ''],
      ['jti', 'x'.repeat(257)],
      ['htm', ['GET']],
      ['htu', null],
      ['iat', '1790000000'],
    ])('3: its claim %s is not %j', async (claim, value) => {
      expect(await check(await make({ claims: { [claim]: value } }))).toEqual(refused(new RegExp(claim)))
    })

    test.each(['JWT', 'at+jwt', 'dpop', undefined])('4: its typ is dpop+jwt, not %s', async (typ) => {
      expect(await check(await make({ header: { typ } }))).toEqual(refused(/type/))
    })

    test.each(['ES512', 'RS512', 'PS384'])('5: its algorithm is one of the list, not %s', async (alg) => {
      const its = await startDevice(alg)
      expect(await check(await make({}, {}, its), { jkt: its.jkt })).toEqual(
        refused(/signed with one of ES256/),
      )
    })

    test('5: its algorithm is not none, nor symmetric, nor one that the key is not for', async () => {
      const [header, payload] = (await make()).split('.')
      const unsigned = { ...JSON.parse(Buffer.from(header ?? '', 'base64url').toString()), alg: 'none' }
      const none = `${Buffer.from(JSON.stringify(unsigned)).toString('base64url')}.${payload}.`
      expect(await check(none)).toEqual(refused(/signed with one of/))

      const secret = await generateSecret('HS256', { extractable: true })
      const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())
      for (const jwk of [device.jwk, await exportJWK(secret)]) {
        const mac = await new SignJWT(claims)
          .setProtectedHeader({ typ: 'dpop+jwt', alg: 'HS256', jwk })
          .sign(secret)
        expect(await check(mac)).toEqual(refused(/signed with one of/))
      }
      expect(await check(await make({ header: { jwk: { ...device.jwk, alg: 'RS256' } } }))).toEqual(
        refused(/algorithm/),
      )
    })

    test('6: its signature is by the key that it names', async () => {
      expect(await check(await make({ header: { jwk: other.jwk } }))).toEqual(
        refused(/signature is not right/),
      )
      const [header, , signature] = (await make()).split('.')
      const claims = (await make({ claims: { more: 1 } })).split('.')[1]
      expect(await check([header, claims, signature].join('.'))).toEqual(refused(/signature is not right/))
    })

    test.each<readonly [string, () => unknown]>([
      ['absent', () => undefined],
      ['text', () => 'key'],
      ['null', () => null],
      ['a list', () => [device.jwk]],
      ['without kty', () => ({ ...device.jwk, kty: undefined })],
      ['of an unknown type', () => ({ ...device.jwk, kty: 'XY' })],
      ['no point of its curve', () => ({ ...device.jwk, y: device.jwk.x })],
      ['not canonical', () => ({ ...device.jwk, x: `${device.jwk.x}=` })],
      ['for encryption', () => ({ ...device.jwk, use: 'enc' })],
    ])('6: its key is not %s', async (_, jwk) => {
      expect(await check(await make({ header: { jwk: jwk() } }))).toMatchObject({
        type: 'invalid_dpop_proof',
      })
    })

    test('6: its key is in the header itself, and no kid or address leads to another', async () => {
      const header = { jku: 'https://evil.example/jwks', x5u: 'https://evil.example/x5u', kid: 'a name' }
      expect(await check(await make({ header }))).toMatchObject({ type: 'proven' })
      expect(await check(await make({ header: { ...header, jwk: undefined } }))).toEqual(
        refused(/public key, as jwk/),
      )
    })

    test('6: its RSA key costs no more than the usual to verify', async () => {
      const rsa = await startDevice('RS256')
      const heavy = [
        { ...rsa.jwk, e: rsa.jwk.n },
        { ...rsa.jwk, e: 'Aw' },
        { ...rsa.jwk, n: 'x'.repeat(700) },
        { ...rsa.jwk, n: 5 },
      ]
      for (const jwk of heavy) {
        const proof = await make({ header: { jwk } }, {}, rsa)
        expect(await check(proof, { jkt: rsa.jkt })).toEqual(refused(/4096 bits/))
      }
    })

    test('7: its key holds no private one', async () => {
      const rsa = await startDevice('PS256')
      for (const { privateJwk, its } of [
        { privateJwk: device.privateJwk, its: device },
        { privateJwk: rsa.privateJwk, its: rsa },
        { privateJwk: { ...rsa.jwk, p: 'AA' }, its: rsa },
        { privateJwk: { ...device.jwk, k: 'AA' }, its: device },
      ])
        expect(await check(await make({ header: { jwk: privateJwk } }, {}, its), { jkt: its.jkt })).toEqual(
          refused(/private key/),
        )
    })

    test.each(['POST', 'get', 'GET '])('8: its method is that of the request, not %j', async (method) => {
      expect(await check(await make({}, { method }))).toEqual(refused(/\(htm\)/))
    })

    test.each([
      'https://api.example/orders/8',
      'https://api.example/orders/7/',
      'https://api.example/Orders/7',
      'https://api.example/orders%2F7',
      'http://api.example/orders/7',
      'https://api.example:8443/orders/7',
      'https://api.example.evil.example/orders/7',
      'https://evil.example/orders/7',
      'https://user@api.example/orders/7',
      'https:\\\\api.example\\orders\\7',
      'https:api.example/orders/7',
      ' https://api.example/orders/7',
      'ftp://api.example/orders/7',
      '//api.example/orders/7',
      '/orders/7',
      'orders/7',
      '',
    ])('9: its URI is that of the request, not %j', async (htu) => {
      expect(await check(await make({ claims: { htu } }))).toEqual(refused(/\(htu\)/))
    })

    test('9: two URIs that are none are not the same', async () => {
      for (const uri of ['', '/orders/7', 'https://user@api.example/orders/7'])
        expect(await check(await make({ claims: { htu: uri } }), { uri })).toEqual(refused(/\(htu\)/))
    })

    test.each([
      'https://api.example/orders/7',
      'https://api.example/orders/7?other=1#y',
      'HTTPS://API.example:443/orders/7',
      'https://api.example/orders/./7',
      'https://api.example/other/../orders/7',
      'https://api.example/%6frders/%37',
    ])('9: its URI is normalised before it is compared: %s', async (htu) => {
      expect(await check(await make({ claims: { htu } }))).toMatchObject({ type: 'proven' })
    })

    test.each([
      ['https://api.example', 'https://api.example/'],
      ['https://api.example/a%c3%a9%7e', 'https://api.example/a%C3%A9~'],
      ['https://api.example/a|b', 'https://api.example/a|b?c'],
      ['http://[::1]:80/a', 'http://[::1]/a'],
      ['https://api.example//a', 'https://api.example//a'],
    ])('9: %s is %s', async (htu, uri) => {
      expect(await check(await make({ claims: { htu } }), { uri })).toMatchObject({ type: 'proven' })
      expect(await check(await make({ claims: { htu: uri } }), { uri: htu })).toMatchObject({
        type: 'proven',
      })
    })

    test('10: its nonce is one of the server', async () => {
      const nonces = createNonces({ keys: [Buffer.alloc(32, 1)], clock })
      const withNonces = createProofCheck({ seen: rememberProofs(), nonces, clock })
      const foreign = createNonces({ keys: [Buffer.alloc(32, 2)], clock }).current()
      for (const nonce of [undefined, '', 'x', 5, foreign]) {
        const verdict = await withNonces({ field: await make({ claims: { nonce } }), ...request() })
        expect(verdict).toMatchObject({ type: 'use_dpop_nonce', nonce: nonces.current() })
      }
      const field = await make({ claims: { nonce: nonces.current() } })
      expect(await withNonces({ field, ...request() })).toMatchObject({
        type: 'proven',
        nextNonce: undefined,
      })
    })

    test.each([
      [-59.999, 'proven'],
      [-60, 'invalid_dpop_proof'],
      [0, 'proven'],
      [5, 'proven'],
      [5.001, 'invalid_dpop_proof'],
      [1e300, 'invalid_dpop_proof'],
      [-1e300, 'invalid_dpop_proof'],
    ])('11: made %d s from now it is %s', async (seconds, verdict) => {
      const iat = now / 1000 + seconds
      expect(await check(await make({ claims: { iat } }))).toMatchObject({ type: verdict })
    })

    test('11: with a nonce the clock of the device does not count', async () => {
      const nonces = createNonces({ keys: [Buffer.alloc(32, 1)], clock })
      const withNonces = createProofCheck({ seen: rememberProofs(), nonces, clock })
      for (const iat of [0, now / 1000 + 1e6]) {
        const field = await make({ claims: { iat, nonce: nonces.current() } })
        expect(await withNonces({ field, ...request() })).toMatchObject({ type: 'proven' })
      }
    })

    test('11: a broken clock lets nothing in', async () => {
      const broken = createProofCheck({ seen: rememberProofs(), clock: () => Number.NaN })
      expect(await broken({ field: await make(), ...request() })).toEqual(refused(/iat/))
    })

    test('12: it speaks of the access token that goes along, and of none where none does', async () => {
      for (const ath of [undefined, athOf('another token'), athOf(token).toUpperCase(), 5])
        expect(await check(await make({ claims: { ath } }))).toEqual(refused(/\(ath\)/))
      expect(await check(await make(), { accessToken: undefined })).toEqual(refused(/\(ath\)/))
      expect(
        await check(await make({ claims: { ath: undefined } }), { accessToken: undefined }),
      ).toMatchObject({
        type: 'proven',
      })
    })

    test('12: it is by the key that the token is bound to', async () => {
      expect(await check(await make({}, {}, other))).toEqual(refused(/another key/))
      expect(await check(await make({}, {}, other), { jkt: undefined })).toMatchObject({ jkt: other.jkt })
    })
  })

  describe('works once', () => {
    test('while it could be used again', async () => {
      const seen = rememberProofs({ clock })
      const proof = await make()
      expect(await check(proof, {}, seen)).toMatchObject({ type: 'proven' })
      for (const seconds of [0, 30, 59]) {
        now = start + seconds * 1000
        expect(await check(proof, {}, seen)).toEqual(refused('The proof was used before.'))
      }
    })

    test('also when the clock steps back after it has expired', async () => {
      const seen = rememberProofs({ clock })
      const proof = await make()
      await check(proof, {}, seen)
      now = start + 90_000
      await check(await make(), {}, seen)
      now = start + 30_000
      expect(await check(proof, {}, seen)).toEqual(refused('The proof was used before.'))
    })

    test('of any number of requests at once, whatever the store is', async () => {
      const memory = new Set<string>()
      const seenBefore = async (proof: string) => {
        await new Promise((done) => setTimeout(done, 1))
        if (memory.has(proof)) return true
        memory.add(proof)
        return false
      }
      const proof = await make()
      const verdicts = await Promise.all(Array.from({ length: 10 }, () => check(proof, {}, { seenBefore })))
      expect(verdicts.filter(({ type }) => type === 'proven')).toHaveLength(1)
      expect([...memory]).toEqual([expect.stringMatching(/^[\w-]{43}$/)])
    })

    test('and cannot be used up by another key with the same jti', async () => {
      const seen = rememberProofs({ clock })
      const same = { claims: { jti: 'the same' } }
      expect(await check(await make(same, {}, other), { jkt: other.jkt }, seen)).toMatchObject({
        type: 'proven',
      })
      expect(await check(await make(same), {}, seen)).toMatchObject({ type: 'proven' })
      expect(await check(await make(same), {}, seen)).toEqual(refused('The proof was used before.'))
    })

    test('and is not remembered when it is refused', async () => {
      const seen = rememberProofs({ clock })
      const proof = await make()
      expect(await check(proof, { method: 'POST' }, seen)).toMatchObject({ type: 'invalid_dpop_proof' })
      expect(await check(proof, {}, seen)).toMatchObject({ type: 'proven' })
    })
  })

  test('of any shape makes the check neither throw nor repeat it', async () => {
    const text = fc.oneof(fc.string({ unit: 'binary', minLength: 12 }), fc.base64String({ minLength: 12 }))
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 3 }), async (parts) => {
        const verdict = await check(parts.join('.'))
        expect(verdict.type).toBe('invalid_dpop_proof')
        for (const part of parts) expect(JSON.stringify(verdict)).not.toContain(part)
      }),
    )
  })
})

describe('the memory of proofs', () => {
  test('is bounded: the oldest go first', () => {
    const { seenBefore } = rememberProofs({ max: 3, clock: () => 0 })
    for (const proof of ['a', 'b', 'c', 'd']) expect(seenBefore(proof, 1)).toBe(false)
    for (const proof of ['b', 'c', 'd']) expect(seenBefore(proof, 1)).toBe(true)
    expect(seenBefore('a', 1)).toBe(false)
  })

  test('forgets what has expired', () => {
    let now = 0
    const { seenBefore } = rememberProofs({ clock: () => now })
    seenBefore('a', 10)
    now = 10
    expect(seenBefore('a', 20)).toBe(true)
    seenBefore('b', 20)
    expect(seenBefore('a', 20)).toBe(false)
  })
})

describe('a nonce', () => {
  const key = Buffer.alloc(32, 1)
  let now = start
  const clock = () => now
  const beginning = Math.ceil(start / 150_000) * 150_000

  test('is the same for all who have the key, and good for 150 to 300 s', () => {
    now = beginning
    const nonces = createNonces({ keys: [key], clock })
    const nonce = nonces.current()
    now = beginning + 149_999
    expect(createNonces({ keys: [key], clock }).current()).toBe(nonce)
    now = beginning + 150_000
    expect(nonces.current()).not.toBe(nonce)
    now = beginning + 299_999
    expect(nonces.acceptedUntil(nonce)).toBe(beginning + 300_000)
    now = beginning + 300_000
    expect(nonces.acceptedUntil(nonce)).toBeUndefined()
  })

  test('of a replica whose clock is ahead is taken, up to 150 s', () => {
    now = beginning
    const ahead = createNonces({ keys: [key], clock: () => now + 150_000 }).current()
    const far = createNonces({ keys: [key], clock: () => now + 300_000 }).current()
    const nonces = createNonces({ keys: [key], clock })
    expect(nonces.acceptedUntil(ahead)).toBe(beginning + 450_000)
    expect(nonces.acceptedUntil(far)).toBeUndefined()
  })

  test('is made with the newest key and read with every one', () => {
    const older = createNonces({ keys: [key], clock })
    const both = createNonces({ keys: [Buffer.alloc(32, 2), key], clock })
    expect(both.acceptedUntil(older.current())).toBeDefined()
    expect(older.acceptedUntil(both.current())).toBeUndefined()
  })

  test('is made of the characters of RFC 9449 §8.1, and cannot be made from another', () => {
    now = beginning
    const nonces = createNonces({ keys: [key], clock })
    const nonce = nonces.current()
    expect(nonce).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/)
    const [number, mac] = nonce.split('.')
    for (const made of [
      `${nonce} `,
      `${number}.`,
      `0${nonce}`,
      `${number}.${mac?.toUpperCase()}`,
      `.${mac}`,
      '',
    ])
      expect(nonces.acceptedUntil(made)).toBeUndefined()
    now = beginning + 150_000
    expect(nonces.acceptedUntil(`${nonces.current().split('.')[0]}.${mac}`)).toBeUndefined()
  })

  test('needs a key of 32 bytes', () => {
    for (const keys of [[], [Buffer.alloc(31)], [key, Buffer.alloc(0)]])
      expect(() => createNonces({ keys })).toThrow(expect.objectContaining({ code: 'options_invalid' }))
  })
})

test.each([
  ['/orders?page=1', 'https://api.example/orders?page=1'],
  ['//evil.example/x', 'https://api.example//evil.example/x'],
  ['http://evil.example/orders?page=1', 'https://api.example/orders'],
  ['*', 'https://api.example/'],
  ['', 'https://api.example/'],
])('the request target %j has no say in whose address it is', (target, uri) => {
  expect(targetUri('https://api.example', target)).toBe(uri)
})

describe('a guard', () => {
  const url = 'https://api.example'
  let issuer: Issuer
  let device: Device
  beforeAll(async () => {
    issuer = await startIssuer()
    device = await startDevice()
  })
  beforeEach(() => Object.assign(issuer.state, { now: start }))
  afterAll(() => issuer.close())

  const guardWith = (options: Partial<GuardOptions> = {}) =>
    createGuard({ issuer: issuer.url, clock: issuer.clock, keys: issuer.key, url, ...options })
  const bound = (changes = {}) => issuer.token({ cnf: { jkt: device.jkt }, ...changes })
  const send = (headers: Record<string, string>, target = '/orders?page=2', method = 'GET') => {
    const fields = new Headers(headers)
    return { method, url: target, header: (name: string) => fields.get(name) ?? undefined }
  }
  const proofFor = (token: string, about: Partial<ProofFor> = {}, by = device) =>
    by.proof({ method: 'GET', url: `${url}/orders`, now: issuer.state.now, token, ...about })
  const withProof = async (token: string, about: Partial<ProofFor> = {}, by = device) =>
    send({ authorization: `DPoP ${token}`, dpop: await proofFor(token, about, by) })
  async function refusal(
    request: ReturnType<typeof send>,
    options: Partial<GuardOptions> = {},
    scope?: string,
  ) {
    const admission = await guardWith(options).check(request, { scope })
    if (admission.type !== 'refused') throw new Error('was admitted')
    const challenge = new Map(admission.headers).get('www-authenticate')
    return { status: admission.status, code: admission.body.code, challenge, headers: admission.headers }
  }

  test('admits the holder of the key', async () => {
    const token = bound()
    const admission = await guardWith().check(await withProof(token))
    expect(admission).toMatchObject({
      type: 'admitted',
      token,
      headers: [],
      claims: { cnf: { jkt: device.jkt } },
    })
  })

  test('still admits unbound tokens as Bearer, and only so', async () => {
    const token = issuer.token()
    expect((await guardWith().check(send({ authorization: `Bearer ${token}` }))).type).toBe('admitted')
    const { status, code, challenge } = await refusal(await withProof(token))
    expect([status, code]).toEqual([401, 'invalid_token'])
    expect(challenge).toMatch(/^Bearer, DPoP error="invalid_token", error_description="[^"]+", algs="ES256 /)
  })

  test('never takes a bound token as Bearer, with or without a proof (RFC 9449 §7.2)', async () => {
    const token = bound()
    const dpop = await proofFor(token)
    for (const headers of [{}, { dpop }]) {
      const refused = await refusal(send({ authorization: `Bearer ${token}`, ...headers }))
      expect(refused).toMatchObject({ status: 401, code: 'invalid_token' })
      expect(refused.challenge).toMatch(/^Bearer error="invalid_token", [^,]+, DPoP algs="[^"]+"$/)
    }
  })

  test('never takes a bound token from a cookie', async () => {
    const token = bound()
    const cookie = `${issuer.cookie}=${token}`
    expect(await refusal(send({ cookie, dpop: await proofFor(token) }))).toMatchObject({
      code: 'invalid_token',
    })
  })

  test.each<readonly [string, RegExp, (token: string) => Promise<string> | undefined]>([
    ['no proof', /A DPoP proof is needed/, () => undefined],
    ['two proofs', /one proof/, async (token) => `${await proofFor(token)}, ${await proofFor(token)}`],
    ['a proof of another key', /another key/, async (token) => proofFor(token, {}, await startDevice())],
    ['a proof for another token', /ath/, () => proofFor(bound({ jti: 'token-2' }))],
    ['a proof for another path', /htu/, (token) => proofFor(token, { url: `${url}/other` })],
    ['a proof for the auth server', /htu/, (token) => proofFor(token, { url: `${issuer.url}/orders` })],
    ['an old proof', /iat/, (token) => proofFor(token, { now: start - 61_000 })],
  ])('refuses a bound token with %s: 401 invalid_dpop_proof', async (_, says, prove) => {
    const token = bound()
    const dpop = await prove(token)
    const refused = await refusal(
      send({ authorization: `DPoP ${token}`, ...(dpop !== undefined && { dpop }) }),
    )
    expect(refused).toMatchObject({ status: 401, code: 'invalid_dpop_proof' })
    expect(refused.challenge).toMatch(
      /^Bearer, DPoP error="invalid_dpop_proof", error_description="[^"]+", algs="/,
    )
    expect(refused.challenge).toMatch(says)
  })

  test('takes a proof once', async () => {
    const guard = guardWith()
    const request = await withProof(bound())
    expect((await guard.check(request)).type).toBe('admitted')
    expect(await guard.check(request)).toMatchObject({ status: 401, body: { code: 'invalid_dpop_proof' } })
  })

  test('takes a proof once on all replicas that share what they have seen', async () => {
    const seenProofs = rememberProofs({ clock: issuer.clock })
    const request = await withProof(bound())
    expect((await guardWith({ seenProofs }).check(request)).type).toBe('admitted')
    expect((await guardWith({ seenProofs }).check(request)).type).toBe('refused')
  })

  test('that cannot ask its store is 503, never 401', async () => {
    const seenBefore = async () => Promise.reject(new Error('secret detail'))
    const refused = await refusal(await withProof(bound()), { seenProofs: { seenBefore } })
    expect(refused).toMatchObject({ status: 503, code: 'guard_unavailable' })
    expect(JSON.stringify(refused)).not.toContain('secret')
  })

  test('asks nobody for its address but its options', async () => {
    const token = bound()
    const dpop = await proofFor(token, { url: 'https://evil.example/orders' })
    const headers = {
      authorization: `DPoP ${token}`,
      dpop,
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
    }
    for (const target of ['/orders', 'https://evil.example/orders'])
      expect(await refusal(send(headers, target))).toMatchObject({ code: 'invalid_dpop_proof' })
  })

  test('believes the Host field when it is told to, aloud', async () => {
    const options = { url: undefined, dangerouslyTrustHostHeader: true }
    const ask = async (host: string, origin: string) => {
      const token = bound()
      const dpop = await proofFor(token, { url: `${origin}/orders` })
      return guardWith(options).check(send({ authorization: `DPoP ${token}`, dpop, host }))
    }
    expect((await ask('shop.example', 'https://shop.example')).type).toBe('admitted')
    expect((await ask('shop.example:8443', 'https://shop.example:8443')).type).toBe('admitted')
    expect((await ask('localhost:3000', 'http://localhost:3000')).type).toBe('admitted')
    expect((await ask('shop.example', 'http://shop.example')).type).toBe('refused')
    expect((await ask('shop.example', 'https://other.example')).type).toBe('refused')
    expect((await ask('a host', 'https://other.example')).type).toBe('refused')
  })

  test('that was not told its url takes no bound tokens and says nothing of DPoP', async () => {
    const token = bound()
    for (const scheme of ['Bearer', 'DPoP']) {
      const headers = { authorization: `${scheme} ${token}`, dpop: await proofFor(token) }
      const refused = await refusal(send(headers), { url: undefined })
      expect(refused).toMatchObject({ status: 401, code: 'invalid_token' })
      expect(refused.challenge).toMatch(/^Bearer error="invalid_token", error_description="[^"]+"$/)
    }
    expect((await refusal(send({}), { url, dpop: 'refuse' })).challenge).toBe('Bearer')
  })

  test('challenges with both schemes, and blames none when no token came', async () => {
    const { challenge } = await refusal(send({}))
    expect(challenge).toBe('Bearer, DPoP algs="ES256 ES384 Ed25519 EdDSA RS256 PS256"')
  })

  test('can require bound tokens', async () => {
    const dpop = 'require'
    expect((await guardWith({ dpop }).check(await withProof(bound()))).type).toBe('admitted')
    const unbound = issuer.token()
    const presented = [{ authorization: `Bearer ${unbound}` }, { cookie: `${issuer.cookie}=${unbound}` }]
    for (const headers of presented) {
      const refused = await refusal(send(headers), { dpop })
      expect(refused).toMatchObject({ status: 401, code: 'invalid_token' })
      expect(refused.challenge).toMatch(/^DPoP error="invalid_token", /)
    }
    expect((await refusal(send({}), { dpop })).challenge).toMatch(/^DPoP algs=/)
  })

  test('that requires them renews no unbound token either', async () => {
    const { renew, calls } = renewalOf(issuer)
    const cookie = `${issuer.cookie}=${issuer.token()}; ${issuer.refreshCookie}=good`
    issuer.state.now = start + 301_000
    expect(await refusal(send({ cookie }), { dpop: 'require', renew })).toMatchObject({
      code: 'invalid_token',
    })
    expect(calls).toEqual([])
  })

  test('says of an expired bound token that it expired, and leaves its renewal to the client', async () => {
    const { renew, calls } = renewalOf(issuer)
    const token = bound()
    issuer.state.now = start + 301_000
    const refused = await refusal(await withProof(token), { renew })
    expect(refused).toMatchObject({ status: 401, code: 'invalid_token' })
    expect(refused.challenge).toContain(
      'DPoP error="invalid_token", error_description="The access token expired."',
    )
    expect(calls).toEqual([])
  })

  test.each([
    ['nothing', {}],
    ['no thumbprint', { jkt: 5 }],
    ['an empty one', { jkt: '' }],
    ['a certificate', { 'x5t#S256': 'x' }],
    ['a certificate too', { 'x5t#S256': 'x', jkt: 'of the device' }],
  ])('refuses a token whose cnf holds %s', async (_, cnf) => {
    const jkt = 'jkt' in cnf && cnf.jkt === 'of the device' ? { jkt: device.jkt } : {}
    const token = issuer.token({ cnf: { ...cnf, ...jkt } })
    expect(await refusal(await withProof(token))).toMatchObject({ status: 401, code: 'invalid_token' })
    expect(await refusal(send({ authorization: `Bearer ${token}` }))).toMatchObject({ code: 'invalid_token' })
  })

  test('refuses a missing scope with the scheme of the token', async () => {
    const { status, challenge } = await refusal(await withProof(bound()), {}, 'orders:write')
    expect(status).toBe(403)
    expect(challenge).toMatch(/^DPoP error="insufficient_scope", .*scope="orders:write", algs=/)
  })

  test('asks for nonces only when it has some, and hands out the next one uncached', async () => {
    const dpopNonces = createNonces({ keys: [Buffer.alloc(32, 1)], clock: issuer.clock })
    const nonce = dpopNonces.current()
    const token = bound({ exp: start / 1000 + 1000 })
    const asked = await refusal(await withProof(token), { dpopNonces })
    expect(asked).toMatchObject({ status: 401, code: 'use_dpop_nonce' })
    expect(asked.challenge).toMatch(/^Bearer, DPoP error="use_dpop_nonce", /)
    expect(asked.headers).toContainEqual(['dpop-nonce', nonce])

    const guard = guardWith({ dpopNonces })
    expect(await guard.check(await withProof(token, { nonce }))).toMatchObject({
      type: 'admitted',
      headers: [],
    })
    issuer.state.now += 150_000
    expect(await guard.check(await withProof(token, { nonce }))).toMatchObject({
      type: 'admitted',
      headers: [
        ['dpop-nonce', dpopNonces.current()],
        ['cache-control', 'private, no-store'],
      ],
    })
    issuer.state.now += 150_000
    expect(await guard.check(await withProof(token, { nonce }))).toMatchObject({
      body: { code: 'use_dpop_nonce' },
    })
  })

  test.each<readonly [string, Partial<Record<keyof GuardOptions, unknown>>, RegExp]>([
    ['an unknown answer to DPoP', { dpop: 'maybe' }, /dpop/],
    ['proofs without a url', { url: undefined, dpop: 'accept' }, /url/],
    ['a url that is none', { url: 'api', credentials: 'header' }, /url/],
    ['bound tokens required in cookies', { credentials: 'cookie', dpop: 'require' }, /cookies/],
    ['a store that is none', { seenProofs: {} }, /seenProofs/],
    ['nonces that are none', { dpopNonces: 'x' }, /dpopNonces/],
  ])('is refused at once with %s', (_, options, says) => {
    const make = () => guardWith(options as Partial<GuardOptions>)
    expect(make).toThrow(expect.objectContaining({ name: 'GuardError', code: 'options_invalid' }))
    expect(make).toThrow(says)
  })
})

function athOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
