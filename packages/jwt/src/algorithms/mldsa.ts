import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { decodeBase64url } from '../base64url.ts'
import { succeeds } from '../succeeds.ts'
import type { AlgorithmFamily } from './facts.ts'
import { asciiBytes } from './signing-input.ts'

/** ML-DSA of one parameter set, with an empty context (RFC 9964 §5, FIPS 204). Needs a runtime that has it: see {@link hasMlDsa}. */
export function mlDsa(facts: { set: 44 | 65 | 87; oid: number; bytes: number }): AlgorithmFamily {
  const { set, oid, bytes } = facts
  return {
    kty: 'AKP',
    impliedByKey: true,
    generate: () =>
      createPrivateKey({ key: seedAsPkcs8(oid, randomBytes(32)), format: 'der', type: 'pkcs8' }),
    misfit: (key) => {
      const type: string | undefined = key.asymmetricKeyType
      if (type !== `ml-dsa-${set}`) return `needs an ML-DSA-${set} key`
      return hasSeed(key) ? undefined : 'needs a private key that still has its seed (RFC 9964 §4)'
    },
    signer: (key) => (signingInput) => sign(null, asciiBytes(signingInput), key).toString('base64url'),
    verifier: (key) => (token, dot) => {
      const signature = decodeBase64url(token.slice(dot + 1))
      return signature?.length === bytes && verify(null, asciiBytes(token, dot), key, signature)
    },
  }
}

/** Whether node:crypto knows ML-DSA: Node 24 and later. It reads a key of zeros without asking what it is good for. */
export const hasMlDsa: boolean = succeeds(() => {
  const pub = Buffer.alloc(1312).toString('base64url')
  createPublicKey({ key: { kty: 'AKP', alg: 'ML-DSA-44', pub }, format: 'jwk' })
})

/** PrivateKeyInfo with the seed alone (RFC 9881 §6); `oid` is the last number of 2.16.840.1.101.3.4.3. */
function seedAsPkcs8(oid: number, seed: Buffer): Buffer {
  const header = `3034020100300b06096086480165030403${oid.toString(16)}04228020`
  return Buffer.concat([Buffer.from(header, 'hex'), seed])
}

function hasSeed(key: KeyObject): boolean {
  return key.type === 'public' || succeeds(() => key.export({ format: 'jwk' }))
}
