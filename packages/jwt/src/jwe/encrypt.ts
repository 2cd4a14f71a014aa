import { CompactEncrypt } from 'jose'
import type { JwtClaims } from '../jwt/claims.ts'
import { type SignerOptions, signJwt } from '../jwt/sign.ts'
import { checkEncryptionKey, type EncryptionKey, toPublicEncryptionKey } from './key.ts'

export interface EncryptJwtOptions extends SignerOptions {
  readonly claims: JwtClaims
  /** Who shall be able to read it: a public key, or a shared secret. */
  readonly encryptTo: EncryptionKey
}

/**
 * Signs claims and encrypts the signed token (a nested JWT, RFC 7519 §11.2: sign, then encrypt), so that only the holder of the
 * decryption key can read them. The content is encrypted with A256GCM; nothing is compressed (RFC 8725 §3.6).
 */
export async function encryptJwt(options: EncryptJwtOptions): Promise<string> {
  const { encryptTo } = options
  const { alg, keyObject, kid } =
    encryptTo.use === 'secret' ? checkEncryptionKey(encryptTo) : toPublicEncryptionKey(encryptTo)
  const signed = signJwt(options)
  return new CompactEncrypt(Buffer.from(signed))
    .setProtectedHeader({ alg, enc: 'A256GCM', cty: 'JWT', kid })
    .encrypt(keyObject)
}
