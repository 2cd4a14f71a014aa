import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { borrowBase64url } from '../base64url.ts'
import type { AlgorithmFamily } from './facts.ts'
import { asciiBytes } from './signing-input.ts'

/**
 * ECDSA (RFC 7518 §3.4) on one curve, each algorithm its own. Signatures are r ‖ s, each exactly `bytes` long; node:crypto is given and
 * gives DER, since from Node 24 on an options object (`dsaEncoding`) in place of a bare KeyObject costs more than
 * converting here does.
 */
export function ecdsa(facts: { hash: string; curve: string; bytes: number }): AlgorithmFamily {
  const { hash, curve, bytes } = facts
  return {
    kty: 'EC',
    impliedByKey: true,
    generate: () => generateKeyPairSync('ec', { namedCurve: curve }).privateKey,
    misfit: (key) =>
      key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === curve
        ? undefined
        : `needs an EC key on the curve ${curve}`,
    signer: (key) => (signingInput) =>
      fromDer(sign(hash, asciiBytes(signingInput), key), bytes).toString('base64url'),
    verifier: (key) => (token, dot) => {
      const signature = borrowBase64url(token.slice(dot + 1))
      const der = signature?.length === 2 * bytes ? toDer(signature, bytes) : undefined
      return der !== undefined && verify(hash, asciiBytes(token, dot), key, der)
    },
  }
}

/** r ‖ s of a DER signature that OpenSSL made: SEQUENCE { INTEGER r, INTEGER s }. */
function fromDer(der: Buffer, bytes: number): Buffer {
  const signature = Buffer.alloc(2 * bytes)
  let at = der[1] === 0x81 ? 3 : 2
  for (const end of [bytes, 2 * bytes]) {
    const length = der.readUInt8(at + 1)
    const extra = Math.max(0, length - bytes)
    der.copy(signature, end - length + extra, at + 2 + extra, at + 2 + length)
    at += 2 + length
  }
  return signature
}

/** The DER signature of r ‖ s, or undefined when r or s is zero. */
function toDer(signature: Buffer, bytes: number): Buffer | undefined {
  const r = integerStart(signature, 0, bytes)
  const s = integerStart(signature, bytes, 2 * bytes)
  if (r === bytes || s === 2 * bytes) return undefined
  const rPad = signature.readUInt8(r) >> 7
  const sPad = signature.readUInt8(s) >> 7
  const rLength = bytes - r + rPad
  const sLength = 2 * bytes - s + sPad
  const body = 4 + rLength + sLength
  const long = body > 0x7f ? 1 : 0
  const der = Buffer.alloc(2 + long + body)
  der[0] = 0x30
  if (long) der[1] = 0x81
  let at = 1 + long
  der[at++] = body
  der[at++] = 0x02
  der[at++] = rLength
  signature.copy(der, at + rPad, r, bytes)
  at += rLength
  der[at++] = 0x02
  der[at++] = sLength
  signature.copy(der, at + sPad, s, 2 * bytes)
  return der
}

function integerStart(signature: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && signature[at] === 0) at++
  return at
}
