import { compactDecrypt } from 'jose'
import { decodeBase64url } from '../base64url.ts'
import { JwtError } from '../errors.ts'
import { checkMaxLength, tooLarge } from '../jws/compact.ts'
import { type JwtHeader, malformed, readHeader } from '../jws/header.ts'
import {
  createVerifier,
  type RemoteVerifierOptions,
  type VerifiedJwt,
  type VerifierOptions,
} from '../jwt/verify.ts'
import { checkEncryptionKey, type EncryptionKey, isEncryptionAlgorithm } from './key.ts'

export type DecryptJwtOptions = (VerifierOptions | RemoteVerifierOptions) & {
  readonly token: string
  /** The private keys or secrets to choose from, by the `kid` and `alg` of the token. */
  readonly decryptWith: EncryptionKey | readonly EncryptionKey[]
  /** The longest encrypted token to look at, in characters. @default 16384 */
  readonly maxEncryptedLength?: number | undefined
}

/**
 * Decrypts a nested JWT and verifies the signed token inside, with all the checks of `verifyJwt`. Before any cryptography it
 * refuses: `token_too_large`, `token_malformed` (also for `zip`), `unsupported_algorithm` (also for passwords, PBES2, so that no `p2c` is
 * ever counted), `algorithm_not_allowed`, `type_mismatch` (not a nested JWT), `key_not_found`. Then `decryption_failed`, one
 * answer for whatever was wrong, and what `verifyJwt` refuses.
 */
export async function decryptJwt(options: DecryptJwtOptions): Promise<VerifiedJwt> {
  const { decryptWith, maxEncryptedLength = 16_384, token } = options
  const verify = createVerifier(options)
  const keys = [decryptWith].flat().map(checkEncryptionKey)
  const header = readJweHeader(token, checkMaxLength(maxEncryptedLength))
  const key = chooseKey(header, keys)
  const signed = await decrypt(token, key)
  return verify(signed)
}

function readJweHeader(token: string, maxLength: number): JwtHeader {
  if (typeof token !== 'string') throw malformed('it is not a string')
  if (token.length > maxLength) throw tooLarge(maxLength)
  const [first = '', ...others] = token.split('.')
  if (others.length !== 4) throw malformed('it does not have the five segments of an encrypted token')
  if (!others.every(decodeBase64url)) throw malformed('a segment is not canonical base64url')
  const header = readHeader(first)
  if (header['zip'] !== undefined) throw malformed('it is compressed (zip)')
  return header
}

function chooseKey(header: JwtHeader, keys: readonly EncryptionKey[]): EncryptionKey {
  if (!isEncryptionAlgorithm(header.alg)) {
    throw new JwtError({
      code: 'unsupported_algorithm',
      description: "The token's encryption is not supported.",
    })
  }
  const candidates = keys.filter((key) => key.alg === header.alg)
  if (header['enc'] !== 'A256GCM' || candidates.length === 0) {
    throw new JwtError({
      code: 'algorithm_not_allowed',
      description: "The token's encryption is not allowed here.",
    })
  }
  if (header.cty?.toUpperCase() !== 'JWT') {
    throw new JwtError({ code: 'type_mismatch', description: 'There is no signed token inside (cty).' })
  }
  const matching = candidates.filter((key) => header.kid === undefined || key.kid === header.kid)
  const [key] = matching
  if (!key || matching.length > 1) {
    throw new JwtError({ code: 'key_not_found', description: 'No key has the kid and alg of the token.' })
  }
  if (key.use !== 'public') return key
  throw new JwtError({ code: 'key_invalid', description: 'A public key cannot decrypt.' })
}

async function decrypt(token: string, key: EncryptionKey): Promise<string> {
  try {
    const { plaintext } = await compactDecrypt(token, key.keyObject, {
      keyManagementAlgorithms: [key.alg],
      contentEncryptionAlgorithms: ['A256GCM'],
    })
    return Buffer.from(plaintext).toString('latin1')
  } catch {
    throw new JwtError({ code: 'decryption_failed', description: 'The token could not be decrypted.' })
  }
}
