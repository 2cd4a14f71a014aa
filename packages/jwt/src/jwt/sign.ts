import { encodeTextBase64url } from '../base64url.ts'
import { JwtError } from '../errors.ts'
import { findWrittenFault, isJsonObject, type JsonObject } from '../json.ts'
import { prepareJwsSigner } from '../jws/sign.ts'
import type { Key } from '../keys/key.ts'
import { checkClaimTypes, type JwtClaims } from './claims.ts'

export interface SignerOptions {
  readonly key: Key
  /** The `typ` of the header. @default 'JWT' */
  readonly typ?: string | undefined
  /** More header parameters. `alg` and `kid` come from the key. */
  readonly header?: JsonObject | undefined
  /** The time in milliseconds, like `Date.now`, for the `iat` of claims that have none. @default Date.now */
  readonly clock?: (() => number) | undefined
  /** The longest token to make, in characters. @default 8192 */
  readonly maxLength?: number | undefined
}

/**
 * Checks the options once and gives a function that signs claims as a JWT (RFC 7519 §7.1). Claims without `iat` get one
 * from the clock; nothing else is added.
 *
 * Refuses what its own verifier would: `claim_invalid` for registered claims of the wrong type, for a claim named
 * `__proto__` and for what is not JSON, `token_too_large` beyond `maxLength`. Throws `key_invalid` when the key may not sign.
 */
export function createSigner(options: SignerOptions): (claims: JwtClaims) => string {
  const { clock = Date.now, header, key, maxLength, typ = 'JWT' } = options
  const sign = prepareJwsSigner({ key, header: { typ, ...header }, maxLength })
  return (claims) => {
    if (!isJsonObject(claims)) throw invalid('are not an object')
    if (typeof claims['toJSON'] === 'function') throw invalid('decides by itself how it is written (toJSON)')
    checkClaimTypes(claims)
    const json = stringify(claims.iat === undefined ? { ...claims, iat: Math.floor(clock() / 1000) } : claims)
    const fault = findWrittenFault(json)
    if (fault) throw invalid(fault)
    return sign(encodeTextBase64url(json))
  }
}

/** Signs one JWT: {@link createSigner} and its function in one call. To sign many, make the signer once. */
export function signJwt(options: SignerOptions & { readonly claims: JwtClaims }): string {
  return createSigner(options)(options.claims)
}

function stringify(claims: JwtClaims): string {
  try {
    return JSON.stringify(claims)
  } catch (cause) {
    throw new JwtError({ code: 'claim_invalid', description: 'The claims cannot be written as JSON.', cause })
  }
}

function invalid(why: string): JwtError {
  return new JwtError({
    code: 'claim_invalid',
    description: `The claims cannot be signed: the object ${why}.`,
  })
}
