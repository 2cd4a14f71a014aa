import { createPublicKey } from 'node:crypto'
import { JwtError } from '../errors.ts'
import { type Jwk, KEY_TYPES } from './jwk.ts'
import { type Key, makeKey, powersOf } from './key.ts'
import { jwkOf } from './thumbprint.ts'

export interface ExportJwkOptions {
  /** Include the private members, or the secret itself. @default false */
  readonly dangerouslyIncludePrivate?: boolean | undefined
}

/**
 * The key as a JWK (RFC 7517) with `kid`, `alg` and `use: "sig"`. Of a private key only the public members, unless asked by
 * name. A secret has no public members, so exporting one without asking throws `options_invalid`.
 */
export function exportJwk(key: Key, options: ExportJwkOptions = {}): Jwk {
  const { facts } = powersOf(key)
  const withPrivate = options.dangerouslyIncludePrivate === true
  if (key.use === 'secret' && !withPrivate) {
    throw new JwtError({
      code: 'options_invalid',
      description: 'A secret has no public part: exporting it takes dangerouslyIncludePrivate.',
    })
  }
  const whole = jwkOf(key.keyObject)
  const members = KEY_TYPES[facts.kty]
  const names = [...members.public, ...(withPrivate ? members.private : [])]
  const chosen = names.filter((name) => whole[name] !== undefined).map((name) => [name, whole[name]])
  return { kty: facts.kty, ...Object.fromEntries(chosen), kid: key.kid, alg: key.alg, use: 'sig' }
}

/** The public key of a private one, with the same `kid` and `alg`. A secret is refused with `key_invalid`. */
export function toPublicKey(key: Key): Key {
  const { facts } = powersOf(key)
  if (key.use === 'public') return key
  if (key.use === 'secret') {
    throw new JwtError({ code: 'key_invalid', description: 'A secret has no public key.' })
  }
  return makeKey(
    { kid: key.kid, keyObject: createPublicKey(key.keyObject), facts },
    { sign: false, verify: true },
  )
}
