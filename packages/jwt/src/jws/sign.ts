import { encodeBase64url, encodeTextBase64url } from '../base64url.ts'
import { JwtError } from '../errors.ts'
import { findWrittenFault, isJsonObject, type JsonObject } from '../json.ts'
import { type Key, powersOf } from '../keys/key.ts'
import { checkMaxLength, DEFAULT_MAX_LENGTH, tooLarge } from './compact.ts'

export interface SignJwsOptions {
  /** The payload; a string stands for its UTF-8 bytes. */
  readonly payload: Uint8Array | string
  readonly key: Key
  /** More header parameters, such as `typ`. `alg` and `kid` come from the key; `crit` and `b64` are not supported. */
  readonly header?: JsonObject | undefined
  /** The longest token to make, in characters. @default 8192 */
  readonly maxLength?: number | undefined
}

/**
 * Signs bytes as a compact JWS (RFC 7515 §7.1), with the key's algorithm and `kid` in the header.
 *
 * Throws `key_invalid` when the key may not sign, `options_invalid` for header parameters that are not its caller's to
 * set, `token_too_large` beyond `maxLength`.
 */
export function signJws(options: SignJwsOptions): string {
  const { payload } = options
  return prepareJwsSigner(options)(
    typeof payload === 'string' ? encodeTextBase64url(payload) : encodeBase64url(payload),
  )
}

/** Checks the options of a signer once and makes the header once. The function takes the payload in base64url. */
export function prepareJwsSigner(options: Omit<SignJwsOptions, 'payload'>): (payload: string) => string {
  const { key, header = {}, maxLength = DEFAULT_MAX_LENGTH } = options
  checkMaxLength(maxLength)
  const { sign } = powersOf(key)
  if (!sign)
    throw new JwtError({ code: 'key_invalid', description: `The ${key.use} key may not sign as ${key.alg}.` })
  const prefix = `${encodeHeader(header, key)}.`
  return (payload) => {
    const signingInput = prefix + payload
    if (signingInput.length > maxLength) throw tooLarge(maxLength)
    const token = `${signingInput}.${sign(signingInput)}`
    if (token.length > maxLength) throw tooLarge(maxLength)
    return token
  }
}

const NOT_THE_CALLERS = ['alg', 'kid', 'crit', 'b64', 'toJSON']

function encodeHeader(header: JsonObject, key: Key): string {
  if (!isJsonObject(header)) throw invalid('header must be an object')
  const taken = NOT_THE_CALLERS.find((name) => header[name] !== undefined)
  if (taken) throw invalid(`the header parameter ${taken} cannot be set`)
  const wrong = ['typ', 'cty'].find((name) => header[name] !== undefined && typeof header[name] !== 'string')
  if (wrong) throw invalid(`the header parameter ${wrong} must be a string`)
  const json = stringify({ alg: key.alg, ...header, kid: key.kid })
  const fault = findWrittenFault(json)
  if (fault) throw invalid(`the header ${fault}`)
  return encodeTextBase64url(json)
}

function stringify(header: JsonObject): string {
  try {
    return JSON.stringify(header)
  } catch (cause) {
    throw new JwtError({
      code: 'options_invalid',
      description: 'The header cannot be written as JSON.',
      cause,
    })
  }
}

function invalid(why: string): JwtError {
  return new JwtError({ code: 'options_invalid', description: `The signer's options are wrong: ${why}.` })
}
