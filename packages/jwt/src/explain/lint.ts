import { JwtError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { isNamedAsId, isNamedAsPermissions, type SensitiveKind, sensitiveName } from './sensitive-names.ts'
import { PRIVATE_KEY, type SensitiveShape, sensitiveShape } from './sensitive-shapes.ts'
import { isTelling, MAX_DEPTH } from './telling.ts'

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
 * and resident registration numbers, e-mail addresses, phone numbers, names. A claim whose value cannot be what its name says (null, true, false,
 * empty, a count, the word for a right or a state) is not held against its name.
 */
export function lintClaims(claims: JsonObject, options: LintOptions = {}): readonly ClaimFinding[] {
  const { personalData = 'refuse' } = options
  const severityOf = (kind: SensitiveKind) => (kind === 'personal_data' ? personalData : 'refuse')
  return Object.entries(claims).flatMap(([claim, value]) =>
    lintMember(claim, claim, value, AT_THE_TOP).map((found) => ({
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

type Found = Omit<ClaimFinding, 'claim' | 'severity'>

/** Where a member is. */
interface Place {
  readonly depth: number
  /** Whether it is, or is in, something that is named as an id, or as permissions. */
  readonly isId: boolean
  readonly isPermission: boolean
}

const AT_THE_TOP: Place = { depth: 0, isId: false, isPermission: false }

function lintMember(path: string, name: string, value: unknown, place: Place): readonly Found[] {
  const isPermission = place.isPermission || isNamedAsPermissions(name)
  const within = lintValue(path, value, { depth: place.depth, isId: isNamedAsId(name), isPermission })
  const named = sensitiveName(name, place.depth === 0)
  if (!named || !isTelling(value, named, place)) return within
  const { kind, is } = named
  const found: Found = { path, kind, by: 'name', description: `${path} is named like ${is}.` }
  return kind === 'personal_data' ? [found, ...within.filter((other) => other.kind !== kind)] : [found]
}

function lintValue(path: string, value: unknown, place: Place): readonly Found[] {
  if (place.depth > MAX_DEPTH) return []
  const inside = { ...place, depth: place.depth + 1 }
  if (Array.isArray(value))
    return value.flatMap((one: unknown, at) => lintValue(`${path}[${at}]`, one, inside))
  if (isJsonObject(value))
    return isPrivateJwk(value) ? [shaped(path, PRIVATE_KEY)] : lintObject(path, value, inside)
  const shape = isText(value) ? sensitiveShape(String(value), place) : undefined
  return shape ? [shaped(path, shape)] : []
}

function lintObject(path: string, value: JsonObject, place: Place): readonly Found[] {
  return Object.entries(value).flatMap(([name, one]) => lintMember(`${path}.${name}`, name, one, place))
}

function shaped(path: string, { kind, is }: SensitiveShape): Found {
  return { path, kind, by: 'shape', description: `${path} looks like ${is}.` }
}

function isText(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

function isPrivateJwk(value: JsonObject): boolean {
  return (
    typeof value['kty'] === 'string' && ['d', 'k', 'priv'].some((member) => typeof value[member] === 'string')
  )
}
