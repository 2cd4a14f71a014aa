import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createDiscoveredJwkSet,
  createJwkSet,
  generateKey,
  type RemoteJwkSetOptions,
  signJwt,
  verifyJwt,
} from '@mapae/jwt'
import { describe, expect, it } from 'vitest'
import { CLAIMS, expectRefusal, expectRejection, NOW, POLICY } from './support.ts'

const key = generateKey('ES256')
const query = { alg: 'ES256', kid: key.kid }
const ISSUER = 'https://issuer.example/tenant'
const OPENID = `${ISSUER}/.well-known/openid-configuration`
const OAUTH = 'https://issuer.example/.well-known/oauth-authorization-server/tenant'
const JWKS = 'https://keys.example/set'

/** An issuer whose documents a test can change; what is no document is answered with 404. */
function issuer(options: RemoteJwkSetOptions & { issuer?: string } = {}) {
  const documents = new Map<string, unknown>([
    [OPENID, { issuer: ISSUER, jwks_uri: JWKS }],
    [JWKS, createJwkSet([key])],
  ])
  const state = { now: NOW, asked: [] as string[] }
  const fetch = async (url: unknown) => {
    state.asked.push(String(url))
    const document = documents.get(String(url))
    return document === undefined ? new Response(null, { status: 404 }) : Response.json(document)
  }
  const clock = () => state.now * 1000
  const keys = createDiscoveredJwkSet(options.issuer ?? ISSUER, { fetch, clock, ...options })
  return { documents, state, keys }
}

describe('the key set of an issuer that is asked for its address', () => {
  it('verifies tokens, and is asked for once', async () => {
    const { keys, state } = issuer()
    const token = signJwt({ claims: CLAIMS, key })
    for (let times = 0; times < 3; times++) {
      const { claims } = await verifyJwt({ token, keys, ...POLICY, clock: () => state.now * 1000 })
      expect(claims).toMatchObject({ iss: CLAIMS.iss })
    }
    expect(state.asked).toEqual([OPENID, JWKS])
  })

  it('fetches nothing before it is needed, and once for many that ask at the same time', async () => {
    const { keys, state } = issuer()
    expect(keys.find(query)).toBeUndefined()
    expect(state.asked).toEqual([])
    await Promise.all([keys.refresh(), keys.refresh(query), keys.refresh()])
    expect(state.asked).toEqual([OPENID, JWKS])
    expect(keys.find(query)?.kid).toBe(key.kid)
  })

  it('is found by RFC 8414 where there is no OpenID Connect', async () => {
    const { documents, keys, state } = issuer()
    documents.set(OAUTH, documents.get(OPENID))
    documents.delete(OPENID)
    await keys.refresh()
    expect(state.asked).toEqual([OPENID, OAUTH, JWKS])
  })

  it('knows an issuer with and without a slash at its end', async () => {
    for (const [name, first] of [
      [`${ISSUER}/`, OPENID],
      ['https://issuer.example', 'https://issuer.example/.well-known/openid-configuration'],
    ] as const) {
      const { documents, keys, state } = issuer({ issuer: name })
      documents.set(first, { issuer: name, jwks_uri: JWKS })
      await keys.refresh()
      expect(state.asked).toEqual([first, JWKS])
    }
  })

  it.each([
    ['are of another issuer (RFC 8414 §3.3)', { issuer: `${ISSUER}/`, jwks_uri: JWKS }, /another issuer/],
    ['name no issuer', { jwks_uri: JWKS }, /another issuer/],
    ['name no key set', { issuer: ISSUER }, /no key set/],
    ['name a key set over http', { issuer: ISSUER, jwks_uri: 'http://keys.example/' }, /not allowed/],
    ['name what is no URL', { issuer: ISSUER, jwks_uri: 'keys' }, /not allowed/],
    ['name a private address', { issuer: ISSUER, jwks_uri: 'https://10.0.0.1/' }, /not allowed/],
    ['point at this machine', { issuer: ISSUER, jwks_uri: 'http://localhost:1/' }, /this machine/],
  ])('is not taken from metadata that %s', async (_, metadata, why) => {
    const { documents, keys, state } = issuer()
    documents.set(OPENID, metadata)
    expect(await expectRejection(keys.refresh(), 'jwks_invalid')).toMatchObject({
      description: expect.stringMatching(why),
    })
    expect(state.asked).toEqual([OPENID])
  })

  it('is unavailable without metadata, which are not asked for again during the cooldown', async () => {
    const { documents, keys, state } = issuer({ cooldown: 10 })
    const metadata = documents.get(OPENID)
    documents.delete(OPENID)
    await expectRejection(keys.refresh(), 'jwks_unavailable')
    await expectRejection(keys.refresh(query), 'jwks_unavailable')
    expect(state.asked).toEqual([OPENID, OAUTH])
    documents.set(OPENID, metadata)
    state.now += 10
    await keys.refresh(query)
    expect(keys.find(query)?.kid).toBe(key.kid)
  })

  it('does not wait for a cooldown that a clock set back makes endless', async () => {
    const { documents, keys, state } = issuer()
    const metadata = documents.get(OPENID)
    documents.delete(OPENID)
    await expectRejection(keys.refresh(), 'jwks_unavailable')
    documents.set(OPENID, metadata)
    state.now -= 3600
    await keys.refresh()
    expect(keys.find(query)?.kid).toBe(key.kid)
  })

  it('is looked for again when it cannot be had where it was, and its old keys are used until then', async () => {
    const { documents, keys, state } = issuer({ cooldown: 1 })
    await keys.refresh()
    documents.delete(JWKS)
    await expectRejection(keys.refresh(), 'jwks_unavailable')
    expect(keys.find(query)?.kid).toBe(key.kid)
    await expectRejection(keys.refresh(), 'jwks_unavailable')
    documents.set(OPENID, { issuer: ISSUER, jwks_uri: 'https://moved.example/set' })
    documents.set('https://moved.example/set', createJwkSet([key]))
    state.now += 2
    await keys.refresh()
    expect(state.asked).toEqual([OPENID, JWKS, JWKS, OPENID, JWKS, OPENID, 'https://moved.example/set'])
    expect(keys.find(query)?.kid).toBe(key.kid)
  })

  it('is fetched over the network by itself, from an issuer on this machine', async () => {
    const server = createServer((request, response) => {
      const url = `http://localhost:${(server.address() as AddressInfo).port}`
      const isSet = request.url === '/keys'
      response.end(JSON.stringify(isSet ? createJwkSet([key]) : { issuer: url, jwks_uri: `${url}/keys` }))
    })
    await new Promise<void>((listening) => server.listen(0, 'localhost', listening))
    const keys = createDiscoveredJwkSet(`http://localhost:${(server.address() as AddressInfo).port}`)
    await keys.refresh()
    expect(keys.find(query)?.kid).toBe(key.kid)
    await new Promise((closed) => server.close(closed))
  })

  it('refuses wrong options at once', () => {
    expectRefusal(() => createDiscoveredJwkSet('issuer'), 'options_invalid')
    expectRefusal(() => createDiscoveredJwkSet('http://issuer.example'), 'options_invalid')
    expectRefusal(() => createDiscoveredJwkSet(ISSUER, { timeout: -1 }), 'options_invalid')
  })
})
