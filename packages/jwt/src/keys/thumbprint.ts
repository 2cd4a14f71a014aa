import { hash as digest, type KeyObject } from 'node:crypto'
import { decodeBase64url } from '../base64url.ts'
import { JwtError } from '../errors.ts'
import { type Jwk, type JwkMember, membersOf } from './jwk.ts'
import { isKey, type Key } from './key.ts'

/**
 * The base64url SHA-2 thumbprint of a key (RFC 7638), equal for a private key and its public one; RFC 9449 §6.1 calls
 * it `jkt`. Throws `key_invalid` when a member that the key type requires is missing or not canonical base64url.
 */
export function jwkThumbprint(key: Jwk | Key, hash: 'sha256' | 'sha384' | 'sha512' = 'sha256'): string {
  const jwk = isKey(key) ? jwkOf(key.keyObject) : key
  const members = membersOf(jwk.kty)
  if (!members) throw invalid(`The key type is not supported.`)
  const required = jwk.kty === 'oct' ? members.private : members.public
  const canonical = [...required, 'kty' as const].sort().map((name) => [name, stringMember(jwk, name)])
  return digest(hash, JSON.stringify(Object.fromEntries(canonical)), 'base64url')
}

/** The JWK of a KeyObject, with whatever it holds: for inside use, where it goes no further. */
export function jwkOf(keyObject: KeyObject): Jwk {
  const { kty = '', ...members } = keyObject.export({ format: 'jwk' })
  return { ...members, kty }
}

function stringMember(jwk: Jwk, name: JwkMember | 'kty'): string {
  const value: unknown = jwk[name]
  if (typeof value !== 'string' || value === '') throw invalid(`The JWK has no member ${name}.`)
  const isText = name === 'kty' || name === 'crv' || name === 'alg'
  if (!isText && !decodeBase64url(value)) throw invalid(`The JWK member ${name} is not canonical base64url.`)
  return value
}

function invalid(description: string): JwtError {
  return new JwtError({ code: 'key_invalid', description })
}
