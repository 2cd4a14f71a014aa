import type * as Crypto from 'node:crypto'
import { inject, vi } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    globalNamespace: string | undefined
  }
}

/** No mutant is alive while a file of tests is read, or what it prepares would fail without failing a test. */
const stryker: unknown = Reflect.get(globalThis, inject('globalNamespace') ?? '')
if (typeof stryker === 'object' && stryker !== null) Reflect.set(stryker, 'activeMutant', undefined)

/**
 * RSA keys are dear to make, and every mutant would make dozens. A few go round instead, so that neighbours still differ.
 * What asks for anything but 2048 bits and the usual exponent gets keys of its own.
 */
vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof Crypto>()
  const { createPrivateKey, createPublicKey, generateKeyPairSync } = crypto
  const { default: pems } = await import('./rsa-keys.json')
  const pairs = pems.map((pem) => {
    const privateKey = createPrivateKey(pem)
    return { privateKey, publicKey: createPublicKey(privateKey) }
  })
  let next = 0
  const generate = (type: string, options: object, ...rest: unknown[]) =>
    type === 'rsa' && JSON.stringify(options) === '{"modulusLength":2048}'
      ? pairs[next++ % pairs.length]
      : Reflect.apply(generateKeyPairSync, crypto, [type, options, ...rest])
  return { ...crypto, generateKeyPairSync: generate }
})
