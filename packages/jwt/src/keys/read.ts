import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { decodeBase64url } from '../base64url.ts'
import { JwtError } from '../errors.ts'
import { type Jwk, type JwkMember, membersOf } from './jwk.ts'
import { jwkOf } from './thumbprint.ts'

const PEM_LABEL = /^\s*-----BEGIN ((?:RSA |EC )?PRIVATE KEY|(?:RSA )?PUBLIC KEY)-----/

/** The key in a PEM text. Throws `key_invalid`, for certificates and encrypted keys too. */
export function keyObjectOfPem(pem: string): KeyObject {
  const label = PEM_LABEL.exec(pem)?.[1]
  if (!label) throw invalid('The text is not a PEM of an unencrypted private or public key.')
  try {
    return label.endsWith('PRIVATE KEY') ? createPrivateKey(pem) : createPublicKey(pem)
  } catch {
    throw invalid('The PEM could not be read.')
  }
}

/** The key in a JWK whose members are all there and canonical. Throws `key_invalid`. */
export function keyObjectOfJwk(jwk: Jwk): KeyObject {
  const members = membersOf(jwk.kty)
  if (!members) throw invalid('The key type (kty) is not supported.')
  if (jwk['oth'] !== undefined) throw invalid('RSA keys of more than two primes are not supported.')
  if (jwk.kty === 'oct') return createSecretKey(secretBytes(jwk.k))
  const isPrivate = members.private.some((name) => jwk[name] !== undefined)
  const given = pick(jwk, isPrivate ? [...members.public, ...members.private] : members.public)
  const keyObject = readJwk({ ...given, kty: jwk.kty }, isPrivate)
  const canonical = jwkOf(keyObject)
  for (const [name, value] of Object.entries(given)) {
    if (canonical[name] !== value) throw invalid(`The JWK member ${name} is not in its canonical form.`)
  }
  return keyObject
}

function readJwk(key: Partial<Record<JwkMember | 'kty', string>>, isPrivate: boolean): KeyObject {
  try {
    return isPrivate ? createPrivateKey({ key, format: 'jwk' }) : createPublicKey({ key, format: 'jwk' })
  } catch {
    throw invalid('The JWK is not a key: a member is missing or out of range.')
  }
}

function pick(jwk: Jwk, names: readonly JwkMember[]): Partial<Record<JwkMember, string>> {
  const picked: Partial<Record<JwkMember, string>> = {}
  for (const name of names) {
    const value: unknown = jwk[name]
    if (typeof value !== 'string') throw invalid(`The JWK has no member ${name}.`)
    picked[name] = value
  }
  return picked
}

function secretBytes(k: unknown): Buffer {
  const bytes = typeof k === 'string' ? decodeBase64url(k) : undefined
  if (!bytes) throw invalid('The JWK member k is not canonical base64url.')
  return bytes
}

function invalid(description: string): JwtError {
  return new JwtError({ code: 'key_invalid', description })
}
