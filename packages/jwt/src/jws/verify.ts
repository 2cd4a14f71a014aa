import type { Algorithm } from '../algorithms.ts'
import { borrowBase64url } from '../base64url.ts'
import { JwtError } from '../errors.ts'
import type { KeySource, RemoteJwkSet } from '../jwks/set.ts'
import type { Key } from '../keys/key.ts'
import { prepareKeyChoice } from './allowed.ts'
import { checkMaxLength, DEFAULT_MAX_LENGTH, findDots } from './compact.ts'
import { type JwtHeader, malformed, prepareHeaderReader } from './header.ts'
import { isRemote, withRefresh } from './refresh.ts'

export interface JwsOptions {
  readonly keys: KeySource
  /** The `alg` values to accept, to narrow what the keys accept. @default what the keys accept */
  readonly algorithms?: readonly Algorithm[] | undefined
  /** The longest token to look at, in characters. @default 8192 */
  readonly maxLength?: number | undefined
}

export type RemoteJwsOptions = Omit<JwsOptions, 'keys'> & { readonly keys: RemoteJwkSet }

/**
 * Verifies a compact JWS (RFC 7515 §5.2) and gives the bytes of its payload. With a remote key set the answer is a
 * promise; the set is refreshed once when no key answers to the header.
 *
 * Refuses, in this order: `token_too_large`, `token_malformed`, `crit_unsupported`, `unsupported_algorithm`,
 * `algorithm_not_allowed`, `key_not_found`, `signature_invalid`. The header chooses among the keys that it was given and
 * never brings one.
 */
export function verifyJws(options: RemoteJwsOptions & { readonly token: string }): Promise<Uint8Array>
export function verifyJws(options: JwsOptions & { readonly token: string }): Uint8Array
export function verifyJws(
  options: (JwsOptions | RemoteJwsOptions) & { readonly token: string },
): Uint8Array | Promise<Uint8Array> {
  const { token, keys } = options
  const { verify } = prepareJwsVerifier(options)
  const payloadOf = (presented: string) => new Uint8Array(decodePayload(verify(presented).payload))
  return isRemote(keys) ? withRefresh(payloadOf, keys)(token) : payloadOf(token)
}

/**
 * A compact JWS whose signature is right. `payload` is the segment as it came: it must be decoded strictly, which refuses
 * every spelling but the one that was signed.
 */
export interface VerifiedJws {
  readonly header: JwtHeader
  readonly key: Key
  readonly payload: string
}

export interface JwsVerifier {
  readonly verify: (token: string) => VerifiedJws
  /** Whether the key set still answers to the header with this very key. */
  readonly stillHas: (verified: { readonly header: JwtHeader; readonly key: Key }) => boolean
}

/** Checks the options once. `checkHeader` throws for a header that it refuses, before any cryptography. */
export function prepareJwsVerifier(
  options: JwsOptions | RemoteJwsOptions,
  checkHeader: (header: JwtHeader) => void = () => {},
): JwsVerifier {
  const maxLength = checkMaxLength(options.maxLength ?? DEFAULT_MAX_LENGTH)
  const chooseKey = prepareKeyChoice(options.keys, options.algorithms)
  const headerOf = prepareHeaderReader(checkHeader)
  const verify = (token: string): VerifiedJws => {
    const { first, last } = findDots(token, maxLength)
    const header = headerOf(token.slice(0, first))
    const { key, verify: isRight } = chooseKey(header)
    const payload = token.slice(first + 1, last)
    if (!isRight(token, last)) throw wrongSignature(payload, token.slice(last + 1))
    return { header, key, payload }
  }
  return { verify, stillHas: ({ header, key }) => chooseKey.find(header) === key }
}

function decodePayload(segment: string): Buffer {
  const payload = borrowBase64url(segment)
  if (payload) return payload
  throw malformed('the payload is not canonical base64url')
}

function wrongSignature(payload: string, signature: string): JwtError {
  if (!borrowBase64url(payload)) return malformed('the payload is not canonical base64url')
  if (!borrowBase64url(signature)) return malformed('the signature is not canonical base64url')
  return new JwtError({ code: 'signature_invalid', description: 'The signature is not right.' })
}
