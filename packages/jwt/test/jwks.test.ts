import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createJwkSet,
  createRemoteJwkSet,
  createVerifier,
  exportJwk,
  generateKey,
  importKey,
  type Jwk,
  type RemoteJwkSetOptions,
  signJws,
  signJwt,
  toPublicKey,
  verifyJws,
  verifyJwt,
} from '@mapae/jwt'
import { describe, expect, it } from 'vitest'
import { CLAIMS, expectRefusal, expectRejection, NOW, POLICY } from './support.ts'

const one = generateKey('ES256')
const two = generateKey('ES256')
const rsa = generateKey('RS256')

describe('a key set', () => {
  it('finds by kid and algorithm', () => {
    const set = createJwkSet([one, two, rsa])
    expect(set.find({ alg: 'ES256', kid: two.kid })).toBe(two)
    expect(set.find({ alg: 'RS256', kid: two.kid })).toBeUndefined()
    expect(set.find({ alg: 'ES256', kid: 'x' })).toBeUndefined()
    expect(set.find({ alg: 'none', kid: one.kid })).toBeUndefined()
  })

  it('finds without kid only what is the one of its algorithm', () => {
    const set = createJwkSet([one, two, rsa])
    expect(set.find({ alg: 'RS256' })).toBe(rsa)
    expect(set.find({ alg: 'ES256' })).toBeUndefined()
    expect(set.find({ alg: 'PS256' })).toBeUndefined()
  })

  it("may be one's own, whatever else it has: without the function refresh it is at hand", () => {
    const own = { find: () => toPublicKey(one), refresh: undefined, keys: () => [] }
    const token = signJwt({ claims: CLAIMS, key: one })
    expect(verifyJwt({ token, keys: own, ...POLICY }).claims).toEqual(CLAIMS)
    expect(verifyJws({ token, keys: own })).toBeInstanceOf(Uint8Array)
  })

  it('shows public keys only', () => {
    const set = createJwkSet([one, generateKey('HS256')])
    expect(set.toJSON()).toEqual({ keys: [exportJwk(one)] })
    expect(JSON.stringify(set)).not.toContain('"d"')
  })

  it('skips keys of no use (RFC 7517 §5)', () => {
    const enc = { ...exportJwk(two), use: 'enc' }
    const odd: unknown[] = [
      { kty: 'AKP', alg: 'ML-DSA-44', pub: 'x' },
      enc,
      { kty: 'oct', k: 'c2hvcnQ', alg: 'HS256' },
      null,
      'x',
      { kid: 'x' },
      { ...exportJwk(rsa), n: 'AQAB' },
    ]
    const set = createJwkSet({ keys: [...(odd as Jwk[]), exportJwk(one)] })
    expect(set.keys.map((key) => key.kid)).toEqual([one.kid])
  })

  it('does not hide errors that are not about a key', () => {
    const trap = {
      kty: 'EC',
      get crv(): string {
        throw new RangeError('trap')
      },
    }
    expect(() => createJwkSet({ keys: [trap] })).toThrow(RangeError)
  })

  it('takes RSA keys that name no algorithm for RS256, or for what it is told', () => {
    const jwk = { ...exportJwk(rsa), alg: undefined }
    expect(createJwkSet({ keys: [jwk] }).keys[0]?.alg).toBe('RS256')
    expect(createJwkSet({ keys: [jwk] }, { rsaAlg: 'PS256' }).keys[0]?.alg).toBe('PS256')
    // @ts-expect-error
    expectRefusal(() => createJwkSet({ keys: [jwk] }, { rsaAlg: 'x' }), 'options_invalid')
  })

  it('refuses two keys of one kid and algorithm, and what is no set', () => {
    expectRefusal(() => createJwkSet([one, one]), 'jwks_invalid')
    const ed = generateKey('Ed25519')
    expectRefusal(() => createJwkSet([ed, importKey(ed.keyObject, { alg: 'EdDSA' })]), 'jwks_invalid')
    expect(createJwkSet([rsa, importKey(rsa.keyObject, { alg: 'PS256', kid: rsa.kid })]).keys).toHaveLength(2)
    for (const wrong of [null, {}, { keys: {} }, 'x', [{}]] as never[]) {
      expectRefusal(() => createJwkSet(wrong), 'jwks_invalid')
    }
  })

  it('verifies through a list and a set', () => {
    const token = signJwt({ claims: CLAIMS, key: two })
    expect(verifyJwt({ token, keys: [one, two], ...POLICY }).key).toBe(two)
    expect(verifyJwt({ token, keys: createJwkSet([one, two]), ...POLICY }).key).toBe(two)
    expectRefusal(() => verifyJwt({ token, keys: [one], ...POLICY }), 'key_not_found')
    expectRefusal(() => verifyJwt({ token, keys: [], ...POLICY }), 'algorithm_not_allowed')
    expectRefusal(() => verifyJwt({ token, keys: [rsa], ...POLICY }), 'algorithm_not_allowed')
  })
})

describe('a remote key set', () => {
  const URL_ = 'https://issuer.example/jwks.json'

  /** An issuer with a clock, whose answers the test decides. */
  function issuer(options: RemoteJwkSetOptions = {}) {
    const state = {
      keys: [one],
      now: NOW,
      calls: 0,
      headers: {} as Record<string, string>,
      answer: undefined as (() => Response | Promise<Response>) | undefined,
    }
    const fetch = async (): Promise<Response> => {
      state.calls++
      if (state.answer) return state.answer()
      return Response.json({ keys: state.keys.map((key) => exportJwk(key)) }, { headers: state.headers })
    }
    const keys = createRemoteJwkSet(URL_, { fetch, clock: () => state.now * 1000, ...options })
    const verify = createVerifier({ keys, ...POLICY })
    return {
      state,
      keys,
      verify,
      accepts: async (key = one) => (await verify(signJwt({ claims: CLAIMS, key }))).key.kid,
    }
  }
  const down = () => new Response('', { status: 500 })

  it('is fetched on the first token and cached', async () => {
    const { state, accepts } = issuer()
    expect(state.calls).toBe(0)
    expect(await accepts()).toBe(one.kid)
    expect(await accepts()).toBe(one.kid)
    expect(state.calls).toBe(1)
  })

  it('has one fetch under way for any number of tokens', async () => {
    const { state, accepts } = issuer()
    await Promise.all(Array.from({ length: 50 }, () => accepts()))
    expect(state.calls).toBe(1)
  })

  it('answers at once where the keys are there, if it is asked to, and else with a promise', async () => {
    const { state, keys } = issuer()
    const verify = createVerifier({ keys, ...POLICY, atOnce: true })
    const [token, other] = [one, two].map((key) => signJwt({ claims: CLAIMS, key }))
    const late = signJwt({ claims: { ...CLAIMS, exp: NOW }, key: one })
    const first = verify(token ?? '')
    expect(first).toBeInstanceOf(Promise)
    expect((await first).key.kid).toBe(one.kid)
    expect(verify(token ?? '')).toMatchObject({ claims: CLAIMS, key: { kid: one.kid } })
    expectRefusal(() => verify(late), 'token_expired')
    expectRefusal(() => verify(`${token}A`), 'signature_invalid')
    await expectRejection(Promise.resolve(verify(other ?? '')), 'key_not_found')
    state.keys = [two]
    state.now += 301
    expect((await verify(other ?? '')).key.kid).toBe(two.kid)
    await expectRejection(Promise.resolve(verify(token ?? '')), 'key_not_found')
    expectRefusal(() => createVerifier({ keys: one, ...POLICY, atOnce: true })(late), 'token_expired')
  })

  it('works for verifyJws and verifyJwt too', async () => {
    const { keys } = issuer()
    expect(
      Buffer.from(await verifyJws({ token: signJws({ payload: 'hi', key: one }), keys })).toString(),
    ).toBe('hi')
    expect(
      (await verifyJwt({ token: signJwt({ claims: CLAIMS, key: one }), keys, ...POLICY })).claims,
    ).toEqual(CLAIMS)
  })

  it('learns a new key at once, but is asked for made-up ones only once each cooldown', async () => {
    const { state, accepts } = issuer()
    await accepts()
    state.now += 31
    state.keys = [one, two]
    expect(await accepts(two)).toBe(two.kid)
    const stranger = generateKey('ES256')
    for (let n = 0; n < 10; n++) await expectRejection(accepts(stranger), 'key_not_found')
    expect(state.calls).toBe(2)
    state.now += 30
    await expectRejection(accepts(stranger), 'key_not_found')
    expect(state.calls).toBe(3)
  })

  it('does not fetch for tokens that are wrong in other ways', async () => {
    const { state, verify } = issuer()
    await expectRejection(verify('a.b.c'), 'token_malformed')
    await expectRejection(
      verify(signJwt({ claims: CLAIMS, key: generateKey('HS256') })),
      'algorithm_not_allowed',
    )
    await expectRejection(verify(signJwt({ claims: CLAIMS, key: one, typ: 'x' })), 'type_mismatch')
    expect(state.calls).toBe(0)
  })

  it.each([
    ['nothing is said', '', 300],
    ['max-age says so', 'public, max-age=120', 120],
    ['max-age is quoted', 'max-age="120"', 120],
    ['max-age is shorter than the cooldown', 'max-age=1', 30],
    ['it is not to be stored', 'no-store, max-age=500', 30],
    ['max-age is longer than cacheMaxAge', 'max-age=999999', 600],
  ])('is fresh as long as it may be when %s', async (_, header, seconds) => {
    const { state, accepts } = issuer()
    if (header) state.headers['cache-control'] = header
    await accepts()
    state.now += seconds - 1
    await accepts()
    expect(state.calls).toBe(1)
    state.now += 1
    await accepts()
    expect(state.calls).toBe(2)
  })

  it.each([
    ['20', 100],
    ['-5', 120],
    ['soon', 120],
  ])('counts the Age %s that a cache added', async (age, seconds) => {
    const { state, accepts } = issuer()
    state.headers = { 'cache-control': 'max-age=120', age }
    await accepts()
    state.now += seconds - 1
    await accepts()
    expect(state.calls).toBe(1)
    state.now += 1
    await accepts()
    expect(state.calls).toBe(2)
  })

  it('drops a withdrawn key at the next fetch', async () => {
    const { state, accepts } = issuer()
    await accepts()
    state.keys = [two]
    state.now += 300
    await expectRejection(accepts(one), 'key_not_found')
    expect(await accepts(two)).toBe(two.kid)
  })

  it('lives through an unreachable issuer for a while, and not longer', async () => {
    const { state, accepts } = issuer({ staleIfError: 3600 })
    await accepts()
    state.answer = down
    state.now += 300
    expect(await accepts()).toBe(one.kid)
    expect(state.calls).toBe(2)
    expect(await accepts()).toBe(one.kid)
    expect(state.calls).toBe(2)
    state.now += 30
    expect(await accepts()).toBe(one.kid)
    await new Promise(setImmediate)
    expect(state.calls).toBe(3)
    await expectRejection(accepts(two), 'jwks_unavailable')
    state.now += 3600
    await expectRejection(accepts(), 'jwks_unavailable')
    state.answer = undefined
    state.now += 30
    expect(await accepts()).toBe(one.kid)
  })

  it('waits for a fetch when the last failure is too old to prove anything', async () => {
    const { state, accepts } = issuer()
    await accepts()
    state.answer = down
    state.now += 300
    expect(await accepts()).toBe(one.kid)
    state.now += 59
    expect(await accepts()).toBe(one.kid)
    await new Promise(setImmediate)
    expect(state.calls).toBe(3)
    state.answer = undefined
    state.keys = [two]
    state.now += 60
    await expectRejection(accepts(one), 'key_not_found')
    expect(await accepts(two)).toBe(two.kid)
    expect(state.calls).toBe(4)
  })

  it('does not take a failed look for an unknown key as a sign that the issuer is away later', async () => {
    const { state, accepts } = issuer()
    await accepts()
    state.answer = down
    state.now += 100
    await expectRejection(accepts(two), 'jwks_unavailable')
    expect(await accepts(one)).toBe(one.kid)
    state.answer = undefined
    state.keys = [two]
    state.now += 200
    await expectRejection(accepts(one), 'key_not_found')
  })

  it('is not kept fresh by a clock that is set back', async () => {
    const { state, accepts } = issuer()
    await accepts()
    state.now -= 5
    await accepts()
    expect(state.calls).toBe(2)
    state.keys = [two]
    state.now -= 1
    await expectRejection(accepts(one), 'key_not_found')
  })

  it('is fetched anew when it goes stale before the cooldown is over', async () => {
    const { state, accepts } = issuer({ cacheMaxAge: 5, cooldown: 60 })
    for (let n = 1; n <= 3; n++) {
      await accepts()
      await expectRejection(accepts(two), 'key_not_found')
      expect(state.calls).toBe(n)
      state.now += 5
    }
  })

  it('says unavailable, not unknown, when there never was a set; and does not hammer', async () => {
    const { state, accepts } = issuer()
    state.answer = down
    for (let n = 0; n < 5; n++) await expectRejection(accepts(), 'jwks_unavailable')
    expect(state.calls).toBe(1)
    state.answer = undefined
    state.now += 30
    expect(await accepts()).toBe(one.kid)
  })

  it('is fetched at once when refreshed by hand', async () => {
    const { state, keys } = issuer()
    await keys.refresh()
    await keys.refresh()
    expect(state.calls).toBe(2)
    expect(keys.find({ alg: 'ES256', kid: one.kid })?.kid).toBe(one.kid)
    await keys.refresh({ alg: 'ES256', kid: one.kid })
    expect(state.calls).toBe(2)
    state.answer = down
    await expectRejection(keys.refresh(), 'jwks_unavailable')
  })

  it('never takes a secret from the set', async () => {
    const { state, keys } = issuer()
    const secret = generateKey('HS256')
    state.answer = () => Response.json({ keys: [exportJwk(secret, { dangerouslyIncludePrivate: true })] })
    await keys.refresh()
    expect(keys.find({ alg: 'HS256', kid: secret.kid })).toBeUndefined()
  })

  it('never takes a key whose private part is published: whoever reads it can sign', async () => {
    const { state, keys } = issuer()
    const whole = { dangerouslyIncludePrivate: true }
    const ed = generateKey('Ed25519')
    const published = [exportJwk(two, whole), exportJwk(rsa, whole), exportJwk(ed, whole), exportJwk(one)]
    state.answer = () => Response.json({ keys: [...published, null, 'x', {}, { kty: 'X' }] })
    await keys.refresh()
    for (const { alg, kid } of [two, rsa, ed]) expect(keys.find({ alg, kid })).toBeUndefined()
    expect(keys.find(one)?.use).toBe('public')
  })

  it('refuses answers that are no key set', async () => {
    const { state, keys } = issuer({ maxBytes: 1000, timeout: 0.05 })
    const answers: [() => Response | Promise<Response>, 'jwks_invalid' | 'jwks_unavailable'][] = [
      [() => new Response('<html>'), 'jwks_invalid'],
      [() => new Response('[]'), 'jwks_invalid'],
      [() => new Response('{}'), 'jwks_invalid'],
      [() => new Response('{"keys":1}'), 'jwks_invalid'],
      [() => new Response(new Uint8Array([0xff])), 'jwks_invalid'],
      [() => new Response(null), 'jwks_invalid'],
      [() => Response.json({ keys: [exportJwk(one), exportJwk(one)] }), 'jwks_invalid'],
      [() => new Response('x'.repeat(1001)), 'jwks_unavailable'],
      [
        () => new Response('', { status: 302, headers: { location: 'https://evil.example' } }),
        'jwks_unavailable',
      ],
      [() => Promise.reject(new Error('reset')), 'jwks_unavailable'],
      [() => new Promise(() => {}), 'jwks_unavailable'],
      [() => new Response(new ReadableStream({ pull: () => new Promise(() => {}) })), 'jwks_unavailable'],
    ]
    for (const [answer, code] of answers) {
      state.answer = answer
      await expectRejection(keys.refresh(), code)
    }
  })

  it.each([
    ['no url'],
    ['ftp://issuer.example/'],
    ['http://issuer.example/'],
    ['http://10.0.0.1/'],
    ['https://user:pw@issuer.example/'],
    ['https://10.1.2.3/'],
    ['https://169.254.169.254/'],
    ['https://192.168.0.1/'],
    ['https://[fd00::1]/'],
    ['https://[::ffff:10.0.0.1]/'],
    ['https://0x0a000001/'],
    ['https://0/'],
  ])('is not made for %s', (url) => {
    expectRefusal(() => createRemoteJwkSet(url), 'options_invalid')
  })

  it('is made for https, for this machine, and for what is waived by name', () => {
    for (const url of [
      'https://issuer.example/',
      'http://localhost:4000/',
      'http://127.0.0.1/',
      'http://[::1]/',
      'https://8.8.8.8/',
    ]) {
      createRemoteJwkSet(new URL(url))
    }
    createRemoteJwkSet('http://issuer.example/', { dangerouslyAllowHttp: true })
    createRemoteJwkSet('https://10.1.2.3/', { dangerouslyAllowPrivateAddresses: true })
    expectRefusal(
      () => createRemoteJwkSet('http://10.1.2.3/', { dangerouslyAllowHttp: true }),
      'options_invalid',
    )
    expectRefusal(() => createRemoteJwkSet(URL_, { timeout: -1 }), 'options_invalid')
    expectRefusal(() => createRemoteJwkSet(URL_, { cooldown: Number.NaN }), 'options_invalid')
    expectRefusal(() => createRemoteJwkSet(URL_, { cooldown: 0 }), 'options_invalid', /from 1/)
    expectRefusal(() => createRemoteJwkSet(URL_, { cacheMaxAge: 0.5 }), 'options_invalid', /from 1/)
    expectRefusal(() => createRemoteJwkSet(URL_, { staleIfError: 2_000_001 }), 'options_invalid')
    // @ts-expect-error
    expectRefusal(() => createRemoteJwkSet(URL_, { timeout: '5' }), 'options_invalid')
    // @ts-expect-error
    expectRefusal(() => createRemoteJwkSet(URL_, { rsaAlg: 'x' }), 'options_invalid')
  })

  it('is fetched over real HTTP from this machine, without following redirects', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/jwks' }).end()
      else response.end(JSON.stringify({ keys: [exportJwk(one)] }))
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const keys = createRemoteJwkSet(`${base}/jwks`)
      expect(
        (await verifyJwt({ token: signJwt({ claims: CLAIMS, key: one }), keys, ...POLICY })).key.kid,
      ).toBe(toPublicKey(one).kid)
      await expectRejection(createRemoteJwkSet(`${base}/moved`).refresh(), 'jwks_unavailable')
    } finally {
      server.close()
    }
  })

  it('is not fetched from a host that does not exist', async () => {
    const error = await expectRejection(
      createRemoteJwkSet('https://does-not-exist.invalid/').refresh(),
      'jwks_unavailable',
    )
    expect(error.description).toMatch(/fetched/)
  })
})
