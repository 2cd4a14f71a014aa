import { generateKeySync, hash, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { AlgorithmFamily } from './facts.ts'

/** HMAC with SHA-2 (RFC 7518 §3.2). A secret has at least as many bytes as the hash. */
export function hmac(facts: { hash: string; bytes: number; block: number }): AlgorithmFamily {
  return {
    kty: 'oct',
    impliedByKey: false,
    generate: () => generateKeySync('hmac', { length: facts.bytes * 8 }),
    misfit: (key) => {
      if (key.type !== 'secret') return 'needs a secret (a JWK of type oct), not a public or private key'
      return key.export().length < facts.bytes ? `needs a secret of at least ${facts.bytes} bytes` : undefined
    },
    signer: (key) => {
      const mac = prepareMac(key, facts)
      return (signingInput) => mac(signingInput, signingInput.length)
    },
    verifier: (key) => {
      const mac = prepareMac(key, facts)
      const length = Math.ceil((facts.bytes * 4) / 3)
      const expected = Buffer.alloc(length)
      const presented = Buffer.alloc(length)
      return (token, dot) => {
        const signature = token.slice(dot + 1)
        if (signature.length !== length) return false
        const right = mac(token, dot)
        expected.latin1Write(right, 0)
        presented.latin1Write(signature, 0)
        // As text too, because latin1 keeps only the low byte of a character.
        return timingSafeEqual(expected, presented) && signature === right
      }
    },
  }
}

/**
 * HMAC as two one-shot hashes over pads that are made once (RFC 2104 §4): about twice as fast as createHmac. The hash
 * in between travels as a string of one character a byte, because node:crypto hands that out faster than a Buffer.
 */
function prepareMac(key: KeyObject, facts: { hash: string; bytes: number; block: number }) {
  const { hash: name, block } = facts
  const secret = key.export()
  const shortened = secret.length > block ? hash(name, secret, 'buffer') : secret
  const inner = Buffer.alloc(block + 16_384, 0x36)
  const outer = Buffer.alloc(block + facts.bytes, 0x5c)
  for (const [at, byte] of shortened.entries()) {
    inner[at] = byte ^ 0x36
    outer[at] = byte ^ 0x5c
  }
  return (text: string, length: number): string => {
    const fits = block + text.length <= inner.length
    const input = fits ? inner : Buffer.concat([inner.subarray(0, block)], block + text.length)
    input.latin1Write(text, block)
    outer.latin1Write(hash(name, input.subarray(0, block + length), 'binary'), block)
    return hash(name, outer, 'base64url')
  }
}
