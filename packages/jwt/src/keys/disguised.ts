import { createPublicKey, X509Certificate } from 'node:crypto'
import { succeeds } from '../succeeds.ts'
import { decodeUtf8 } from '../text.ts'

/**
 * Whether the bytes of a secret are a key of another kind, or a certificate, as a text or in DER. What one side publishes would
 * be the secret then, and anybody could sign (RFC 8725 §2.1).
 */
export function isDisguisedKey(secret: Buffer): boolean {
  const text = decodeUtf8(secret)?.trimStart()
  if (text !== undefined) return TEXTS.test(text)
  return PARSERS.some((parse) => succeeds(() => parse(secret)))
}

/** PEM, the public keys of SSH, and a JWK or JWK Set. */
const TEXTS = /^(?:-----BEGIN |---- BEGIN |(?:ssh-|ecdsa-sha2-|sk-)\S+ AAAA|\{.*"(?:kty|keys)"\s*:)/s

const PARSERS: readonly ((der: Buffer) => unknown)[] = [
  (key) => createPublicKey({ key, format: 'der', type: 'spki' }),
  (key) => createPublicKey({ key, format: 'der', type: 'pkcs1' }),
  (certificate) => new X509Certificate(certificate),
]
