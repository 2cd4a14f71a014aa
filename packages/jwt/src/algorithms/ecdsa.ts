import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { borrowBase64url } from '../base64url.ts'
import { createScratch } from '../scratch.ts'
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

/** The DER signature of r ‖ s, or undefined when r or s is zero. The next call overwrites it. */
function toDer(signature: Buffer, bytes: number): Buffer | undefined {
  const r = integerStart(signature, 0, bytes)
  const s = integerStart(signature, bytes, 2 * bytes)
  if (r === bytes || s === 2 * bytes) return undefined
  const rPad = signature.readUInt8(r) >> 7
  const sPad = signature.readUInt8(s) >> 7
  const body = 4 + bytes - r + rPad + 2 * bytes - s + sPad
  const long = body > 0x7f ? 1 : 0
  const room = scratch.room(2 + long + body)
  room[0] = 0x30
  room[1] = 0x81
  room[1 + long] = body
  const at = putInteger(room, 2 + long, { signature, start: r, end: bytes, pad: rPad })
  putInteger(room, at, { signature, start: s, end: 2 * bytes, pad: sPad })
  return scratch.first(room, 2 + long + body)
}

const scratch = createScratch(256)

function integerStart(signature: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && signature[at] === 0) at++
  return at
}

/** Writes an INTEGER and gives where it ends. Byte by byte, since `copy` and `set` cost more for so few. */
function putInteger(
  der: Buffer,
  from: number,
  integer: { signature: Buffer; start: number; end: number; pad: number },
): number {
  const { signature, start, end, pad } = integer
  let at = from
  der[at++] = 0x02
  der[at++] = end - start + pad
  if (pad) der[at++] = 0
  for (let next = start; next < end; next++) der[at++] = signature.readUInt8(next)
  return at
}
