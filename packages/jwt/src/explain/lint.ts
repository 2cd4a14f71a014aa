import { JwtError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { isNamedAsId, type SensitiveKind, type SensitiveName, sensitiveName } from './sensitive-names.ts'
import { PRIVATE_KEY, type SensitiveShape, sensitiveShape } from './sensitive-shapes.ts'

/** Something that should not be in a token, because anyone who holds the token can read it. */
export interface ClaimFinding {
  /** The claim that it is in. */
  readonly claim: string
  /** Where it is, such as `user.password` or `notes[2]`. The value is never repeated. */
  readonly path: string
  readonly kind: SensitiveKind
  /** `warn` for personal data where that was asked for, otherwise `refuse`. */
  readonly severity: 'refuse' | 'warn'
  /** Whether its name or its value gave it away. */
  readonly by: 'name' | 'shape'
  readonly description: string
}

export interface LintOptions {
  /**
   * How names, addresses, phone numbers and the like are judged. `warn` is for ID tokens, which OpenID Connect makes to carry
   * them to the one client that asked; an access token goes to every API with every request. @default 'refuse'
   */
  readonly personalData?: 'refuse' | 'warn' | undefined
}

/**
 * Looks for secrets and personal data in claims, by name and by shape: passwords and their hashes, keys, tokens, payment card
 * and resident registration numbers, e-mail addresses, phone numbers, names. A claim without a value (null, true, false,
 * empty) is not held against its name.
 */
export function lintClaims(claims: JsonObject, options: LintOptions = {}): readonly ClaimFinding[] {
  const { personalData = 'refuse' } = options
  const severityOf = (kind: SensitiveKind) => (kind === 'personal_data' ? personalData : 'refuse')
  return Object.entries(claims).flatMap(([claim, value]) =>
    lintMember(claim, claim, value, 0).map((found) => ({
      claim,
      ...found,
      severity: severityOf(found.kind),
    })),
  )
}

export interface SensitiveClaimsOptions extends LintOptions {
  /** `true` lets every claim pass; a list, the claims that it names. @default false */
  readonly dangerouslyAllowSensitiveClaims?: boolean | readonly string[] | undefined
}

/**
 * Throws `claim_sensitive` when {@link lintClaims} finds something to refuse, with the findings in `detail`; gives the other
 * findings. `dangerouslyAllowSensitiveClaims` turns refusals into findings.
 */
export function refuseSensitiveClaims(
  claims: JsonObject,
  options: SensitiveClaimsOptions = {},
): readonly ClaimFinding[] {
  const { dangerouslyAllowSensitiveClaims: allowed = false } = options
  const findings = lintClaims(claims, options)
  const refused = findings.filter(
    ({ claim, severity }) =>
      severity === 'refuse' && !(typeof allowed === 'boolean' ? allowed : allowed.includes(claim)),
  )
  if (refused.length === 0) return findings
  throw new JwtError({
    code: 'claim_sensitive',
    description: `Anyone who holds a token can read it: ${refused.map(({ description }) => description).join(' ')}`,
    detail: { findings },
  })
}

/** Deeper than this a verifier refuses the token anyway. */
const MAX_DEPTH = 16

type Found = Omit<ClaimFinding, 'claim' | 'severity'>

function lintMember(path: string, name: string, value: unknown, depth: number): readonly Found[] {
  const within = lintValue(path, value, { depth, isId: isNamedAsId(name) })
  const named = isTelling(value) ? sensitiveName(name, depth === 0) : undefined
  if (!named || isSomethingElse(value, named)) return within
  const { kind, is } = named
  const found: Found = { path, kind, by: 'name', description: `${path} is named like ${is}.` }
  return kind === 'personal_data' ? [found, ...within.filter((other) => other.kind !== kind)] : [found]
}

interface Place {
  readonly depth: number
  /** Whether it is named as an id. */
  readonly isId: boolean
}

function lintValue(path: string, value: unknown, { depth, isId }: Place): readonly Found[] {
  if (depth > MAX_DEPTH) return []
  if (Array.isArray(value))
    return value.flatMap((one: unknown, at) => lintValue(`${path}[${at}]`, one, { depth: depth + 1, isId }))
  if (isJsonObject(value))
    return isPrivateJwk(value) ? [shaped(path, PRIVATE_KEY)] : lintObject(path, value, depth)
  const shape = isText(value) ? sensitiveShape(String(value), { isId }) : undefined
  return shape ? [shaped(path, shape)] : []
}

function lintObject(path: string, value: JsonObject, depth: number): readonly Found[] {
  return Object.entries(value).flatMap(([name, one]) => lintMember(`${path}.${name}`, name, one, depth + 1))
}

function shaped(path: string, { kind, is }: SensitiveShape): Found {
  return { path, kind, by: 'shape', description: `${path} looks like ${is}.` }
}

function isTelling(value: unknown): boolean {
  return value !== null && value !== undefined && typeof value !== 'boolean' && value !== ''
}

/** A count of e-mails, and the address of a wallet, say nothing of a person. */
function isSomethingElse(value: unknown, { kind, isShort }: SensitiveName): boolean {
  if (typeof value === 'number') return !isShort && Number.isInteger(value) && Math.abs(value) < 1000
  return kind === 'personal_data' && typeof value === 'string' && /^0x[\da-f]{40}$/i.test(value)
}

function isText(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

function isPrivateJwk(value: JsonObject): boolean {
  return (
    typeof value['kty'] === 'string' && ['d', 'k', 'priv'].some((member) => typeof value[member] === 'string')
  )
}
