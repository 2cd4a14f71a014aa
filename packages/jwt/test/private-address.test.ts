import { createServer } from 'node:http'
import { type AddressInfo, getDefaultAutoSelectFamily, setDefaultAutoSelectFamily } from 'node:net'
import { createRemoteJwkSet, exportJwk, generateKey } from '@mapae/jwt'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { expectRefusal, expectRejection } from './support.ts'

type Answer = { address: string; family: number }[] | Error

/** What the name server says, one answer a question; the last one again and again. */
const answers = vi.hoisted(() => ({ next: [] as Answer[], asked: 0 }))
vi.mock('node:dns', () => ({
  lookup: (_name: string, _options: object, callback: (error: Error | null, found?: Answer) => void) => {
    answers.asked++
    const [answer = []] = answers.next.length > 1 ? answers.next.splice(0, 1) : answers.next
    if (answer instanceof Error) callback(answer)
    else callback(null, answer)
  },
}))

const at = (...addresses: string[]): Answer =>
  addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
const refresh = (url = 'https://issuer.example/', options = {}) =>
  createRemoteJwkSet(url, { timeout: 0.2, ...options }).refresh()

const PRIVATE = [
  '0.0.0.0',
  '10.0.0.5',
  '100.64.0.1',
  '127.0.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::10.0.0.1',
  '::ffff:192.168.0.1',
  '::ffff:a00:1',
  '::ffff:0:10.0.0.1',
  '64:ff9b::a00:1',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:a00:1::1',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
]

describe('a remote key set behind a name', () => {
  it.each([...PRIVATE, 'fe80::1%eth0', 'no address'])('is not fetched from %s', async (address) => {
    answers.next = [at('8.8.8.8', address)]
    const error = await expectRejection(refresh(), 'jwks_unavailable')
    expect(error.description).toMatch(/private address/)
  })

  it.each(PRIVATE.filter((address) => !/^127|^::1$/.test(address)))(
    'is not made for https://%s',
    (address) => {
      const host = address.includes(':') ? `[${address}]` : address
      expectRefusal(() => createRemoteJwkSet(`https://${host}/`), 'options_invalid', /private/)
    },
  )

  it.each(['8.8.8.8', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '64:ff9b::808:808'])(
    'may be fetched from %s',
    async (address) => {
      answers.next = [at(address)]
      const error = await expectRejection(refresh(), 'jwks_unavailable')
      expect(error.description).not.toMatch(/private/)
      createRemoteJwkSet(`https://${address.includes(':') ? `[${address}]` : address}/`)
    },
  )

  it('is looked up once a fetch, as it is connected to: a name cannot change in between', async () => {
    answers.next = [at('8.8.8.8'), at('10.0.0.1')]
    answers.asked = 0
    const keys = createRemoteJwkSet('https://issuer.example/', { timeout: 0.2 })
    await expectRejection(keys.refresh(), 'jwks_unavailable')
    expect(answers.asked).toBe(1)
    const error = await expectRejection(keys.refresh(), 'jwks_unavailable')
    expect(error.description).toMatch(/private address/)
  })

  it('is not fetched while the name has no address or cannot be looked up', async () => {
    for (const answer of [[], new Error('ENOTFOUND')]) {
      answers.next = [answer]
      const error = await expectRejection(refresh(), 'jwks_unavailable')
      expect(error.description).toMatch(/fetched/)
    }
  })

  it.each([true, false])('is fetched where that is waived, with autoSelectFamily %s', async (automatic) => {
    const before = getDefaultAutoSelectFamily()
    setDefaultAutoSelectFamily(automatic)
    onTestFinished(() => setDefaultAutoSelectFamily(before))
    const key = generateKey('ES256')
    const server = createServer((request, response) => {
      expect(request.headers['accept']).toMatch(/jwk-set/)
      response.setHeader('set-cookie', ['a=1', 'b=2']).end(JSON.stringify({ keys: [exportJwk(key)] }))
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    answers.next = [at('127.0.0.1')]
    const { port } = server.address() as AddressInfo
    const keys = createRemoteJwkSet(`http://issuer.example:${port}/`, {
      dangerouslyAllowHttp: true,
      dangerouslyAllowPrivateAddresses: true,
    })
    await keys.refresh()
    expect(keys.find({ alg: 'ES256' })?.kid).toBe(key.kid)
    const strict = createRemoteJwkSet(`http://issuer.example:${port}/`, { dangerouslyAllowHttp: true })
    await expectRejection(strict.refresh(), 'jwks_unavailable')
  })

  it('is given up in time, also when the name server or the answer hangs', async () => {
    const server = createServer((_, response) => void response.write('{"keys":')).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    answers.next = [at('127.0.0.1')]
    const { port } = server.address() as AddressInfo
    const error = await expectRejection(refresh(`http://localhost:${port}/`), 'jwks_unavailable')
    expect(error.description).toMatch(/in time/)
  })
})
