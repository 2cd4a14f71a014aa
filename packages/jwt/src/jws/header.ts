import { decodeBase64url, decodeTextBase64url } from '../base64url.ts'
import { JwtError } from '../errors.ts'
import { freezeDeep } from '../freeze.ts'
import { type JsonObject, parseJsonObject } from '../json.ts'

/**
 * A JOSE header (RFC 7515 §4), frozen through and through. `jwk`, `jku`, `x5u` and `x5c` may be in it and are never looked
 * at.
 */
export interface JwtHeader {
  readonly alg: string
  readonly typ?: string
  readonly kid?: string
  readonly cty?: string
  readonly [parameter: string]: unknown
}

/**
 * Reads the first segment of a compact JWS. Refuses with `token_malformed` what is not canonical base64url of strict UTF-8 of a JSON
 * object with unique names, and parameters of the wrong type; with `crit_unsupported` every critical extension (RFC 7515
 * §4.1.11; none is implemented) and `b64` (RFC 7797).
 */
export function readHeader(segment: string): JwtHeader {
  const header = parseSegment(segment, 'header')
  if (!isJwtHeader(header)) throw malformed('alg must be there, and alg, typ, kid and cty be strings')
  if (header['crit'] !== undefined) {
    if (!isCriticalList(header['crit'], header)) throw malformed('crit is not a list of names of the header')
    throw new JwtError({
      code: 'crit_unsupported',
      description: 'The token needs an extension that is not supported.',
    })
  }
  if (header['b64'] !== undefined) {
    throw new JwtError({
      code: 'crit_unsupported',
      description: 'Unencoded payloads (b64) are not supported.',
    })
  }
  return freezeDeep(header)
}

/**
 * {@link readHeader} and a check of one's own, for token after token. Tokens of one issuer and key share their header: one
 * that is spelled like the last which passed, character for character, is not read again.
 */
export function prepareHeaderReader(
  check: (header: JwtHeader) => void = () => {},
): (segment: string) => JwtHeader {
  let last: { readonly segment: string; readonly header: JwtHeader } | undefined
  return (segment) => {
    if (segment === last?.segment) return last.header
    const header = readHeader(segment)
    check(header)
    if (segment.length <= MAX_REMEMBERED) last = { segment: detach(segment), header }
    return header
  }
}

/** Longer headers (certificates) are read each time, so that what is remembered stays small. */
const MAX_REMEMBERED = 1024

/** The same text in memory of its own: a slice would keep the whole token alive. */
function detach(segment: string): string {
  return Buffer.from(segment, 'latin1').toString('latin1')
}

/** The JSON object of a segment, or `token_malformed`. */
export function parseSegment(segment: string, part: 'header' | 'payload'): JsonObject {
  const text = decodeTextBase64url(segment)
  if (text === undefined)
    throw malformed(`the ${part} is not ${decodeBase64url(segment) ? 'UTF-8' : 'canonical base64url'}`)
  const parsed = parseJsonObject(text)
  if (typeof parsed === 'string') throw malformed(`the ${part} ${parsed}`)
  return parsed
}

export function malformed(why: string): JwtError {
  return new JwtError({ code: 'token_malformed', description: `The token is malformed: ${why}.` })
}

function isJwtHeader(header: JsonObject): header is JwtHeader {
  if (typeof header['alg'] !== 'string') return false
  return ['typ', 'kid', 'cty'].every((name) => header[name] === undefined || typeof header[name] === 'string')
}

function isCriticalList(value: unknown, header: JsonObject): boolean {
  if (!Array.isArray(value) || value.length === 0 || new Set(value).size !== value.length) return false
  return value.every((name: unknown) => typeof name === 'string' && Object.hasOwn(header, name))
}
