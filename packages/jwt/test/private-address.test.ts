import { createRemoteJwkSet } from '@mapae/jwt'
import { describe, expect, it, vi } from 'vitest'
import { expectRejection } from './support.ts'

const addresses = vi.hoisted(() => ({ of: [] as { address: string }[] }))
vi.mock('node:dns/promises', () => ({ lookup: async () => addresses.of }))

describe('a remote key set behind a name', () => {
  it.each(['10.0.0.5', '169.254.169.254', '127.0.0.1', 'fd00::1', '::ffff:192.168.0.1'])(
    'is not fetched from %s',
    async (address) => {
      addresses.of = [{ address: '203.0.113.1' }, { address }]
      const error = await expectRejection(
        createRemoteJwkSet('https://issuer.example/').refresh(),
        'jwks_unavailable',
      )
      expect(error.description).toMatch(/private address/)
    },
  )
})
