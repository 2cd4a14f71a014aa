import { generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { borrowBase64url } from '../base64url.ts'
import type { AlgorithmFamily } from './facts.ts'
import { type PssHash, restrictToPss } from './pss-key.ts'
import { asciiBytes } from './signing-input.ts'

const MIN_BITS = 2048
const MAX_BITS = 16_384
const MIN_EXPONENT = 65_537n

/** RSASSA-PKCS1-v1_5 (RFC 7518 §3.3). */
export function rsaPkcs1(facts: { hash: string }): AlgorithmFamily {
  return rsa(facts.hash, (key) => key)
}

/** RSASSA-PSS with MGF1 of the same hash and a salt as long as the hash (RFC 7518 §3.5). */
export function rsaPss(facts: { hash: string } & PssHash): AlgorithmFamily {
  return rsa(facts.hash, (key) => restrictToPss(key, facts))
}

function rsa(hash: string, prepare: (key: KeyObject) => KeyObject): AlgorithmFamily {
  return {
    kty: 'RSA',
    impliedByKey: false,
    generate: () => generateKeyPairSync('rsa', { modulusLength: MIN_BITS }).privateKey,
    misfit: rsaMisfit,
    signer: (key) => {
      const prepared = prepare(key)
      return (signingInput) => sign(hash, asciiBytes(signingInput), prepared).toString('base64url')
    },
    verifier: (key) => {
      const prepared = prepare(key)
      const size = Math.ceil(Number(key.asymmetricKeyDetails?.modulusLength) / 8)
      return (token, dot) => {
        const signature = borrowBase64url(token.slice(dot + 1))
        return signature?.length === size && verify(hash, asciiBytes(token, dot), prepared, signature)
      }
    },
  }
}

/** What is wrong with an RSA key, for whatever it is used (RFC 7518 §3.3, §4.3). */
export function rsaMisfit(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'rsa') return 'needs an RSA key'
  const bits = key.asymmetricKeyDetails?.modulusLength
  const exponent = key.asymmetricKeyDetails?.publicExponent
  if (bits === undefined || bits < MIN_BITS) return `needs an RSA key of at least ${MIN_BITS} bits`
  if (bits > MAX_BITS) return `takes an RSA key of at most ${MAX_BITS} bits`
  const isGood = exponent !== undefined && exponent >= MIN_EXPONENT && exponent % 2n === 1n
  return isGood ? undefined : 'needs an odd RSA exponent of at least 65537'
}
