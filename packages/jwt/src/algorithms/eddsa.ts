import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { borrowBase64url } from '../base64url.ts'
import type { AlgorithmFamily } from './facts.ts'
import { asciiBytes } from './signing-input.ts'

const SIGNATURE_BYTES = 64

/** Ed25519 (RFC 8037 §3.1, RFC 9864 §2.2). */
export function ed25519(): AlgorithmFamily {
  return {
    kty: 'OKP',
    impliedByKey: true,
    generate: () => generateKeyPairSync('ed25519').privateKey,
    misfit: (key) => {
      if (key.asymmetricKeyType !== 'ed25519') return 'needs an Ed25519 key'
      return isOfSmallOrder(key) ? 'takes no public key of small order' : undefined
    },
    signer: (key) => (signingInput) => sign(null, asciiBytes(signingInput), key).toString('base64url'),
    verifier: (key) => (token, dot) => {
      const signature = borrowBase64url(token.slice(dot + 1))
      return signature?.length === SIGNATURE_BYTES && verify(null, asciiBytes(token, dot), key, signature)
    },
  }
}

/**
 * The y coordinates, little-endian, of the points of order 1, 2, 4 and 8, and the two that stand for one of them without being
 * reduced. Under such a key anybody can sign: a signature that never met the private key fits every message, or every other.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
])

/** The last bit of the 32 bytes is the sign of x, and says nothing of the order. */
function isOfSmallOrder(key: KeyObject): boolean {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  const y = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
  y[31] = Number(y[31]) & 0x7f
  return SMALL_ORDER.has(y.toString('hex'))
}
