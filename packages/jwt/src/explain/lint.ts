import { JwtError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { sensitiveName } from './sensitive-names.ts'
import { sensitiveShape } from './sensitive-shapes.ts'

/** Something that should not be in a token, because anyone who holds the token can read it. */
export interface ClaimFinding {
  /** Where it is, such as `user.password` or `notes[2]`. The value is never repeated. */
  readonly path: string
  /** `refuse`: a secret, or a number that identifies a person or an account. `warn`: personal data, which may be meant. */
  readonly severity: 'refuse' | 'warn'
  /** Whether its name or its value gave it away. */
  readonly by: 'name' | 'shape'
  readonly description: string
}

/**
 * Looks for secrets and personal data in claims, by name and by shape: passwords and their hashes, keys, tokens, payment card
 * and resident registration numbers. A claim without a value (null, true, false, empty) is not held against its name.
 */
export function lintClaims(claims: JsonObject): readonly ClaimFinding[] {
  return Object.entries(claims).flatMap(([name, value]) => lintMember(name, name, value, 0))
}

/**
 * Throws `claim_sensitive` when {@link lintClaims} finds something to refuse, with the findings in `detail`; gives the other
 * findings. `dangerouslyAllowSensitiveClaims` turns refusals into findings.
 */
export function refuseSensitiveClaims(
  claims: JsonObject,
  options: { readonly dangerouslyAllowSensitiveClaims?: boolean | undefined } = {},
): readonly ClaimFinding[] {
  const findings = lintClaims(claims)
  const refused = findings.filter(({ severity }) => severity === 'refuse')
  if (refused.length === 0 || options.dangerouslyAllowSensitiveClaims === true) return findings
  throw new JwtError({
    code: 'claim_sensitive',
    description: `Anyone who holds a token can read it: ${refused.map(({ description }) => description).join(' ')}`,
    detail: { findings },
  })
}

/** Deeper than this a verifier refuses the token anyway. */
const MAX_DEPTH = 16

function lintMember(path: string, name: string, value: unknown, depth: number): readonly ClaimFinding[] {
  const named = isTelling(value) ? sensitiveName(name) : undefined
  if (!named) return lintValue(path, value, depth)
  return [{ path, severity: named.severity, by: 'name', description: `${path} is named like ${named.is}.` }]
}

function lintValue(path: string, value: unknown, depth: number): readonly ClaimFinding[] {
  if (depth > MAX_DEPTH) return []
  if (Array.isArray(value))
    return value.flatMap((one: unknown, at) => lintValue(`${path}[${at}]`, one, depth + 1))
  if (isJsonObject(value))
    return isPrivateJwk(value) ? [shaped(path, 'a private or secret key')] : lintObject(path, value, depth)
  const shape =
    typeof value === 'string' || typeof value === 'number' ? sensitiveShape(String(value)) : undefined
  return shape ? [shaped(path, shape)] : []
}

function lintObject(path: string, value: JsonObject, depth: number): readonly ClaimFinding[] {
  return Object.entries(value).flatMap(([name, one]) => lintMember(`${path}.${name}`, name, one, depth + 1))
}

function shaped(path: string, what: string): ClaimFinding {
  return { path, severity: 'refuse', by: 'shape', description: `${path} looks like ${what}.` }
}

function isTelling(value: unknown): boolean {
  return value !== null && value !== undefined && typeof value !== 'boolean' && value !== ''
}

function isPrivateJwk(value: JsonObject): boolean {
  return (
    typeof value['kty'] === 'string' && ['d', 'k', 'priv'].some((member) => typeof value[member] === 'string')
  )
}
